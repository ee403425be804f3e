"""Bias and deviation of one product by look-up, for operands that are uniform."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.look_up.definition import BILINEAR, STOCHASTIC, LookUp
from qatlas.lut.look_up.vectorised import positions, products

Floats = NDArray[np.float64]

_POINTS, _PLANE_POINTS = 1 << 17, 1 << 9
"""Midpoints of an integral over one operand, and over each of both."""


@dataclass(frozen=True)
class Moments:
    """Of the error of one product.

    Attributes
    ----------
    bias, deviation
        Mean and standard deviation.
    """

    bias: float
    deviation: float

    @property
    def crossover(self) -> float:
        """n* = (deviation / bias)^2: products after which the bias of a sum is its deviation."""
        with np.errstate(divide="ignore"):
            return float(np.square(np.float64(self.deviation) / np.abs(np.float64(self.bias))))

    def ratio_to(self, other: "Moments") -> float:
        """Its deviation over that of another."""
        return self.deviation / other.deviation


def moments(table: LookUp, method: int, reach: float) -> Moments:
    """Moments of table less true product, both operands uniform within ``reach`` of zero.

    Rounding, to the nearest level or at random, makes an operand one of the levels, and both
    operands independently, so that sums over levels suffice; interpolation takes an integral over
    both.

    Parameters
    ----------
    table
        Where to look.
    method
        NEAREST, STOCHASTIC or BILINEAR.
    reach
        Half the width of the distribution of operands.
    """
    if method == BILINEAR:
        return _over_plane(table, method, reach)
    operands = _midpoints(_POINTS, reach)
    place = positions(table, operands)
    size = table.codes.shape[0]
    if method == STOCHASTIC:
        below = np.minimum(np.floor(place), size - 2).astype(np.int64)
        shares = [(below, 1 - (place - below)), (below + 1, place - below)]
    else:
        shares = [(np.rint(place).astype(np.int64), np.ones_like(place))]
    chance, mean = np.zeros((2, size))
    for level, share in shares:
        chance += np.bincount(level, share, size) / _POINTS
        mean += np.bincount(level, share * operands, size) / _POINTS
    found = table.values[table.codes]
    bias = chance @ found @ chance
    square = chance @ found**2 @ chance - 2 * (mean @ found @ mean) + (reach**2 / 3) ** 2
    return _moments(float(bias), float(square))


def grid_moments(step: float, stochastic: bool) -> Moments:
    """Of rounding a number to an even grid: deviation step / sqrt(12), or sqrt(2) times as much."""
    return Moments(0.0, step / np.sqrt(6 if stochastic else 12))


def _over_plane(table: LookUp, method: int, reach: float) -> Moments:
    operands = _midpoints(_PLANE_POINTS, reach)
    a, b = (side.ravel() for side in np.meshgrid(operands, operands))
    errors = products(table, method, a, b, a, b) - a * b
    return _moments(float(errors.mean()), float(np.mean(errors**2)))


def _midpoints(count: int, reach: float) -> Floats:
    middles: Floats = reach * ((2 * np.arange(count) + 1) / count - 1)
    return middles


def _moments(bias: float, square: float) -> Moments:
    # What is left of sums that cancel is no bias.
    bias = bias if abs(bias) > 1e-9 * np.sqrt(square) else 0.0
    return Moments(bias, float(np.sqrt(max(square - bias**2, 0.0))))
