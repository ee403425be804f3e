"""How much of a layer's output error affine maps recover on tokens that they were not fitted to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.transport import (
    LADDER,
    Fit,
    by_group,
    fit_bias,
    fit_diagonal,
    fit_ridge,
    halves,
    rms,
)

Floats = NDArray[np.float64]

_CLUSTERED: Mapping[str, Fit] = {
    "clusters_bias": fit_bias,
    "clusters_diagonal": fit_diagonal,
}
_FULL = ("full", "ridge")
# A scale and an offset are of few numbers, but of fewer points they are noise.
_LEAST_POINTS = 8
_ONE_MAP: Mapping[str, Fit] = {**LADDER, "ridge": fit_ridge}
CORRECTIONS = (*(name for name in _ONE_MAP if name != "none"), *_CLUSTERED)
"""One map for all tokens, and one a cluster of the layer's quantized outputs. A full map a cluster
would have more unknowns than a cluster has tokens."""


@dataclass(frozen=True)
class Recovered:
    """What a correction recovers.

    Attributes
    ----------
    correction
        One of ``CORRECTIONS``.
    fitted, held_out
        Share of the error's energy that is gone, on the tokens it was fitted to and on the others;
        below 0 where it does harm.
    """

    correction: str
    fitted: float
    held_out: float


def recovered(
    exact: Floats, quantized: Floats, clusters: int, random: np.random.Generator
) -> Iterator[Recovered]:
    """Fit on one half of the tokens, judge on both.

    A full map, with or without ridge, has more unknowns an output than outputs; where the tokens it
    is fitted to are not twice as many, it is left out.

    Parameters
    ----------
    exact, quantized
        Outputs of the layer, float64, shape (tokens, outputs).
    clusters
        Of the quantized outputs, by k-means on the half that is fitted to.
    """
    fit, test = halves(len(exact), random)
    groups = clusters_of(quantized, fit, clusters, random)
    y, y_hat = exact[fit], quantized[fit]
    nothing = [rms(quantized[part] - exact[part]) for part in (fit, test)]
    for name in CORRECTIONS:
        if name in _FULL and len(fit) < 2 * exact.shape[1]:
            continue
        if name in _CLUSTERED:
            carried = by_group(
                _CLUSTERED[name], y_hat, y, groups[fit], quantized, groups, _LEAST_POINTS
            )
        else:
            carried = _ONE_MAP[name](y_hat, y)(quantized)
        left = [rms(carried[part] - exact[part]) for part in (fit, test)]
        shares = [
            1 - (after / before) ** 2 if before else np.nan
            for after, before in zip(left, nothing, strict=True)
        ]
        yield Recovered(name, *shares)


def clusters_of(
    points: Floats, fit: NDArray[np.intp], number: int, random: np.random.Generator
) -> NDArray[np.intp]:
    """The nearest of some centres to each point, shape (points,); the centres are of ``fit``."""
    from scipy.cluster.vq import kmeans2, vq

    centres, _ = kmeans2(points[fit], number, minit="++", seed=random, missing="warn")
    groups: NDArray[np.intp] = vq(points, centres)[0].astype(np.intp)
    return groups
