"""Affine maps that carry quantized outputs back to float ones, from a bias to a map a group.

All are least-squares fits of the float outputs, on points that are not those they are judged on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError

Floats = NDArray[np.float64]

# Directions in which quantized outputs vary less than this, relative to the one in which they vary
# most, are rounding errors of float64 and not to be stretched.
_CUTOFF = 1e-10


@dataclass(frozen=True)
class Affine:
    """y = A y_hat + c.

    Attributes
    ----------
    matrix
        A, float64, shape (outputs, outputs).
    offset
        c, float64, shape (outputs,).
    """

    matrix: Floats
    offset: Floats

    def __call__(self, points: Floats) -> Floats:
        """Carry points, shape (points, outputs)."""
        return points @ self.matrix.T + self.offset


@dataclass(frozen=True)
class Scaling:
    """y = s y_hat + c, output by output.

    Attributes
    ----------
    scale, offset
        s and c, float64, shape (outputs,).
    """

    scale: Floats
    offset: Floats

    def __call__(self, points: Floats) -> Floats:
        """Carry points, shape (points, outputs)."""
        return points * self.scale + self.offset


Fit = Callable[[Floats, Floats], Affine | Scaling]
"""From quantized and float outputs, both of shape (points, outputs), to the map between them."""


def identity(quantized: Floats, exact: Floats) -> Scaling:
    """Nothing is corrected."""
    outputs = exact.shape[1]
    return Scaling(np.ones(outputs), np.zeros(outputs))


def fit_bias(quantized: Floats, exact: Floats) -> Scaling:
    """The best offset."""
    return Scaling(np.ones(exact.shape[1]), (exact - quantized).mean(axis=0))


def fit_diagonal(quantized: Floats, exact: Floats) -> Scaling:
    """The best scale and offset of each output; an output that is constant keeps its scale."""
    centred = quantized - quantized.mean(axis=0)
    error = (exact - quantized) - (exact - quantized).mean(axis=0)
    power = (centred**2).sum(axis=0)
    varies = power > _CUTOFF**2 * power.max(initial=0)
    change = np.divide((centred * error).sum(axis=0), power, out=np.zeros_like(power), where=varies)
    scale = 1 + change
    return Scaling(scale, exact.mean(axis=0) - scale * quantized.mean(axis=0))


def fit_full(quantized: Floats, exact: Floats) -> Affine:
    """The best affine map; of several, the one nearest to the identity (least Frobenius norm)."""
    means, axes, powers, shares = _principal(quantized, exact)
    kept = powers > _CUTOFF * powers.max(initial=0)
    return _about(means, (axes[:, kept] / powers[kept]) @ shares[kept])


def fit_ridge(quantized: Floats, exact: Floats) -> Affine:
    """The affine map that is drawn to the identity by as much as generalised cross-validation asks.

    Ridge regression of the error on the quantized outputs; where points are few beside outputs it
    follows less of what is chance in them than the full map.

    Notes
    -----
    Golub, Heath and Wahba 1979 (doi 10.1080/00401706.1979.10489751), equation 2.3, summed over
    outputs.
    """
    means, axes, powers, shares = _principal(quantized, exact)
    points = len(exact)
    largest = powers.max(initial=0)
    error = exact - quantized
    energy = ((error - error.mean(axis=0)) ** 2).sum()
    explained = np.divide(
        (shares**2).sum(axis=1), powers, out=np.zeros_like(powers), where=powers > _CUTOFF * largest
    )
    best, weight = np.inf, np.inf
    for strength in largest * np.geomspace(_CUTOFF, 1e3, 53):
        kept = powers / (powers + strength)
        left = energy - (explained * (2 * kept - kept**2)).sum()
        score = left / max(points - 1 - kept.sum(), _CUTOFF) ** 2
        if score < best:
            best, weight = score, strength
    return _about(means, (axes / (powers + weight)) @ shares)


LADDER: Mapping[str, Fit] = {
    "none": identity,
    "bias": fit_bias,
    "diagonal": fit_diagonal,
    "full": fit_full,
}
"""Maps that are the same for all points, each a special case of the next."""


def by_group(
    fit: Fit,
    quantized: Floats,
    exact: Floats,
    groups: NDArray[np.intp],
    held_out: Floats,
    held_out_groups: NDArray[np.intp],
    least: int,
) -> Floats:
    """Held-out points carried by the map of their group.

    A group with too few points to bear a map of its own is carried by that of all points together.

    Parameters
    ----------
    quantized, exact
        To fit on, shape (points, outputs).
    groups
        Group of each of them, shape (points,).
    held_out, held_out_groups
        Quantized outputs to carry, and their groups.
    least
        Points of a group that has a map of its own.

    Raises
    ------
    AtlasError
        If there are not as many groups as points.
    """
    if len(groups) != len(quantized) or len(held_out_groups) != len(held_out):
        raise AtlasError(
            f"groups: found {len(groups)} for {len(quantized)} points and {len(held_out_groups)} "
            f"for {len(held_out)} held-out points; give one a point"
        )
    carried = fit(quantized, exact)(held_out)
    for group in np.unique(held_out_groups):
        members = groups == group
        if members.sum() >= least:
            where = held_out_groups == group
            carried[where] = fit(quantized[members], exact[members])(held_out[where])
    return carried


def halves(points: int, random: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of points to fit on and of points to judge on, dealt at random, each in order."""
    order = random.permutation(points)
    return np.sort(order[: points // 2]), np.sort(order[points // 2 :])


def rms(errors: Floats) -> float:
    """Root mean square length of errors of shape (points, outputs); NaN of no points."""
    return float(np.sqrt((errors**2).sum(axis=1).mean())) if len(errors) else float("nan")


def linear_cka(one: Floats, other: Floats) -> float:
    """Linear centred kernel alignment of two sets of activations at the same points.

    1 where they agree up to rotation and scale. It says little once there are more outputs than
    points, so it is never given without a residual. NaN where one does not vary.

    Notes
    -----
    Kornblith et al. 2019 (arXiv 1905.00414), equation 5 with linear kernels.
    """
    a, b = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(b.T @ a) ** 2 / scale) if scale else float("nan")


def _principal(
    quantized: Floats, exact: Floats
) -> tuple[tuple[Floats, Floats], Floats, Floats, Floats]:
    """Means of both, principal axes of the quantized outputs, power and error along each axis."""
    means = quantized.mean(axis=0), exact.mean(axis=0)
    centred = quantized - means[0]
    error = exact - quantized - (means[1] - means[0])
    powers, axes = np.linalg.eigh(centred.T @ centred)
    powers = np.maximum(powers, 0)
    return means, axes, powers, axes.T @ (centred.T @ error)


def _about(means: tuple[Floats, Floats], change: Floats) -> Affine:
    """The map that takes the first mean to the second, its matrix the identity plus change^T."""
    matrix = np.eye(len(means[1])) + change.T
    return Affine(matrix, means[1] - matrix @ means[0])
