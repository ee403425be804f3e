"""Products of a table as whole numbers of one step, so that their sums can be exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError

_CLOSE = 1e-6


@dataclass(frozen=True, eq=False)
class WholeNumbers:
    """Numbers as multiples of a step.

    Attributes
    ----------
    multiples
        Int64, of any shape.
    step
        What 1 stands for.
    exact
        Whether multiples times step are the numbers that were given, but for float64 rounding;
        else they are the nearest.
    """

    multiples: NDArray[np.int64]
    step: float
    exact: bool


def whole_numbers(numbers: NDArray[np.float64], largest: int, grid: int) -> WholeNumbers:
    """Numbers as multiples of a step, exactly where they have one in common.

    Even levels have: those of a signed encoding with S levels are 2 i - (S - 1) times R / (S - 1).
    So have small floating-point types, whose step is the least subnormal number. All others,
    such as those of a logarithmic encoding, are rounded to the nearest of a fixed-point grid.

    Parameters
    ----------
    numbers
        Finite, float64, of any shape.
    largest
        No multiple is beyond it on either side.
    grid
        Largest multiple of the fixed-point grid, at most ``largest``.

    Raises
    ------
    AtlasError
        If there is no such grid.
    """
    if not 1 <= grid <= largest:
        raise AtlasError(f"a grid up to {grid}: allowed: 1 to {largest}, the largest multiple")
    most = float(np.abs(numbers).max())
    if most == 0:
        return WholeNumbers(np.zeros(numbers.shape, np.int64), 1.0, True)
    between = np.diff(np.unique(numbers))
    # Differences that rounding alone makes are none.
    between = between[between > _CLOSE * most / largest]
    smallest = float(between.min()) if between.size else most
    for step in (smallest, smallest / 2):
        multiples = np.rint(numbers / step)
        off = np.abs(numbers / step - multiples).max()
        if off < _CLOSE and np.abs(multiples).max() <= largest:
            return WholeNumbers(multiples.astype(np.int64), step, True)
    step = most / grid
    return WholeNumbers(np.rint(numbers / step).astype(np.int64), step, False)
