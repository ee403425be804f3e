"""How much of an output error affine maps undo, by what they may know and by class of error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.correction.energy import topological
from qatlas.geometry.correction.network import Pass
from qatlas.geometry.transport import LADDER, by_group, fit_full, halves, rms

Floats = NDArray[np.float64]

RUNGS = (*LADDER, "region", "region_pair")
"""Corrections, each with more to know than the last: one map for all points up to the full affine
one; one a sign pattern of the quantized network; one a pair of patterns, which only the float
network could tell."""


@dataclass(frozen=True)
class Corrected:
    """Held-out points after every correction.

    Attributes
    ----------
    test
        Indices of the held-out points, shape (held out,).
    residuals
        What is left of the output error, by rung: float64, shape (held out, outputs).
    is_topological
        Class of each held-out point, shape (held out,).
    before, after
        Number of the sign pattern of the float and the quantized network at each of them.
    """

    test: NDArray[np.intp]
    residuals: Mapping[str, Floats]
    is_topological: NDArray[np.bool_]
    before: NDArray[np.intp]
    after: NDArray[np.intp]


@dataclass(frozen=True)
class Residual:
    """What is left of the error of one class.

    Attributes
    ----------
    rung, points_of
        The correction, and the class: all, metric, topological.
    points
        Held-out points of the class.
    rms
        Root mean square length of what is left; NaN where the class has no points.
    recovered
        Share of the class's energy that is gone; below 0 where the correction does harm.
    """

    rung: str
    points_of: str
    points: int
    rms: float
    recovered: float


def correct(exact: Pass, quantized: Pass, random: np.random.Generator) -> Corrected:
    """Fit every correction on one half of the points and apply it to the other.

    Parameters
    ----------
    exact, quantized
        Passes at the same points.
    random
        Deals the points into halves.
    """
    fit, test = halves(len(exact.output), random)
    before, after = pattern_numbers(exact.pattern), pattern_numbers(quantized.pattern)
    pair = before * (1 + after.max(initial=0)) + after
    y, y_hat = exact.output, quantized.output
    carried = {name: make(y_hat[fit], y[fit])(y_hat[test]) for name, make in LADDER.items()}
    # Two points more than the unknowns of an output, less its offset.
    least = y.shape[1] + 2
    for name, group in (("region", after), ("region_pair", pair)):
        groups = group[fit], y_hat[test], group[test]
        carried[name] = by_group(fit_full, y_hat[fit], y[fit], *groups, least)
    return Corrected(
        test,
        {name: found - y[test] for name, found in carried.items()},
        topological(exact, quantized)[test],
        before[test],
        after[test],
    )


def residuals(corrected: Corrected) -> Iterator[Residual]:
    """What is left, by rung and class."""
    everything = np.ones(len(corrected.test), np.bool_)
    classes = {
        "all": everything,
        "metric": ~corrected.is_topological,
        "topological": corrected.is_topological,
    }
    for rung, errors in corrected.residuals.items():
        for called, members in classes.items():
            left, first = rms(errors[members]), rms(corrected.residuals["none"][members])
            recovered = 1 - (left / first) ** 2 if first > 0 else float("nan")
            yield Residual(rung, called, int(members.sum()), left, recovered)


def pattern_numbers(pattern: NDArray[np.bool_]) -> NDArray[np.intp]:
    """A number for each sign pattern, shape (points,): bit u is set where unit u is on."""
    return (pattern @ (1 << np.arange(pattern.shape[1], dtype=np.intp))).astype(np.intp)
