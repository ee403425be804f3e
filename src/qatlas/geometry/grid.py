"""Grids of numbers with a sign, by their bits."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError

FEWEST_BITS = 2


def largest_code(bits: int) -> int:
    """2^(bits - 1) - 1; the smallest is one further from zero.

    Raises
    ------
    AtlasError
        Below two bits, which leave a sign and no magnitude.
    """
    if bits < FEWEST_BITS:
        raise AtlasError(f"bits: found {bits}; allowed are {FEWEST_BITS} and more")
    return int(2 ** (bits - 1)) - 1


def step_of(bits: int) -> float:
    """Step of the grid of fractions of so many bits, sign included: 2^-(bits - 1).

    Raises
    ------
    AtlasError
        As ``largest_code``.
    """
    return 1.0 / (largest_code(bits) + 1)


def rounded(weights: ArrayLike, step: float) -> NDArray[np.float64]:
    """Weights on the nearest multiples of a step, half-way cases to even ones."""
    nearest: NDArray[np.float64] = np.rint(np.asarray(weights, np.float64) / step) * step
    return nearest
