"""The rank of a table's errors: how many products of vectors give them all.

A table of rank r away from the true product is 1 + r ordinary products. Where all levels and
values are whole multiples of some unit, errors are whole numbers of another, and their rank is
found in integers; else by singular values above a stated tolerance.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.product_table import ProductTable

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KEPT_RANKS = (1, 2, 4, 8)
PRIMES = (2**31 - 1, 2**31 - 19)
"""Elimination is done modulo these; products of two remainders fit 63 bits."""
TOLERANCE = 1e-12
"""Smallest singular value that counts, as a share of the largest true product's."""


@dataclass(frozen=True)
class ErrorRank:
    """Rank of the matrix of errors.

    Attributes
    ----------
    rank
        Of the errors.
    exact
        Whether it was found in integers.
    energy_left
        Share of the sum of squared errors that the best matrix of rank 1, 2, 4 and 8 leaves; 0
        where there are no errors.
    """

    rank: int
    exact: bool
    energy_left: tuple[float, ...]


def error_rank(table: ProductTable) -> ErrorRank:
    """Rank of a table's errors, and how much of them a few products of vectors leave.

    An exact rank is the largest that elimination modulo either of two primes gives. Such a rank is
    never above the true one, and falls short of it only where a prime divides every minor of full
    rank: both at once, for whole numbers that have nothing to do with them.
    """
    singular = np.linalg.svd(table.errors, compute_uv=False)
    floor = TOLERANCE * table.size * float(np.max(np.square(table.levels)))
    singular = np.where(singular > floor, singular, 0.0)
    energy = float(np.square(singular).sum())
    left = tuple(
        float(np.square(singular[kept:]).sum()) / energy if energy else 0.0 for kept in KEPT_RANKS
    )
    whole = whole_errors(table)
    if whole is None:
        return ErrorRank(int(np.count_nonzero(singular)), False, left)
    return ErrorRank(integer_rank(whole), True, left)


def whole_errors(table: ProductTable) -> NDArray[np.object_] | None:
    """Errors as whole numbers of some unit, Python's integers, shape (S, S).

    None where levels or values are not whole multiples of a unit that is a power of two, nor both
    even steps over the range.
    """
    units = _units(table)
    if units is None:
        return None
    level_unit, value_unit = units
    levels = np.rint(table.levels / float(level_unit)).astype(np.int64).astype(object)
    values = np.rint(table.values / float(value_unit)).astype(np.int64).astype(object)
    # Errors are value_unit * values - level_unit^2 * levels * levels.
    ratio = level_unit**2 / value_unit
    products: NDArray[np.object_] = values[table.codes] * ratio.denominator
    errors: NDArray[np.object_] = products - np.multiply.outer(levels, levels) * ratio.numerator
    return errors


def integer_rank(matrix: NDArray[np.object_]) -> int:
    """Rank of a matrix of whole numbers of any size, see ``error_rank``."""
    return max(rank_modulo((matrix % prime).astype(np.int64), prime) for prime in PRIMES)


def rank_modulo(matrix: Integers, prime: int) -> int:
    """Rank of a matrix over the numbers modulo a prime below 2^31, by Gaussian elimination."""
    left = matrix.copy()
    rank = 0
    while left.size:
        pivots = np.flatnonzero(left[:, 0])
        if not pivots.size:
            left = left[:, 1:]
            continue
        rank += 1
        pivot = left[pivots[0], 1:] * pow(int(left[pivots[0], 0]), -1, prime) % prime
        left[pivots[0]] = left[0]
        column, rest = left[1:, 0], left[1:, 1:]
        left = (rest - column[:, None] * pivot % prime) % prime
        left = left[left.any(axis=1)]
    return rank


def _units(table: ProductTable) -> tuple[Fraction, Fraction] | None:
    """Units of levels and of values."""
    binary = _binary_unit(table.levels), _binary_unit(table.values)
    if binary[0] and binary[1]:
        return binary[0], binary[1]
    unit = Fraction(table.limit) / (table.size - 1)
    even = all(_are_even_steps(x, float(unit)) for x in (table.levels, table.values))
    return (unit, unit) if even else None


def _binary_unit(numbers: Floats) -> Fraction | None:
    """The largest power of two of which the numbers are whole multiples, and not too large ones."""
    if not numbers.any():
        return Fraction(1)
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    # A mantissa of 53 bits is a whole number of units of 2^(exponent - 53).
    whole = np.ldexp(np.abs(mantissas), 53).astype(np.int64)
    zeros = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    lowest, highest = int((exponents - 53 + zeros).min()), int(exponents.max())
    return Fraction(2) ** lowest if highest - lowest <= _MOST_BITS else None


_MOST_BITS = 48
"""Numbers of more bits are rounded ones: nobody means them as multiples of their last bit."""


def _are_even_steps(numbers: Floats, unit: float) -> bool:
    """Whether numbers are whole multiples of a unit up to the rounding of float64."""
    return bool(np.allclose(numbers / unit, np.rint(numbers / unit), rtol=0, atol=1e-9))
