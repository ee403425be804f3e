"""Tables of low exact rank: sums of look-ups by ordinary matrix products, and just as exact.

If d T = L R with integers, then d sum_k T[a_k, b_k] = sum_k sum_r L[a_k, r] R[r, b_k], one GEMM
whose inner side is r times as long. In float64 it is exact while no partial sum is beyond 2^53. The
true product of levels has rank 1; multipliers that leave partial products out have few more.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product.accumulators import Codes

Integers = NDArray[np.int64]

_EXACT_IN_FLOAT64 = 1 << 53
_PRIME = (1 << 31) - 1
"""Of the field in which pivots are sought: products of two residues fit 64 bits."""
_BLOCK = 1 << 22
"""Numbers of a factor that are gathered at a time."""


@dataclass(frozen=True, eq=False)
class Factors:
    """A table T with denominator * T = left @ right, exactly.

    Attributes
    ----------
    left, right
        Int64, shapes (levels of a, rank) and (rank, levels of b).
    denominator
        At least 1.
    """

    left: Integers
    right: Integers
    denominator: int

    @property
    def rank(self) -> int:
        """Exact rank of the table."""
        return len(self.right)

    @property
    def most_terms(self) -> int:
        """The largest K whose sums stay within 2^53, whatever the codes and the order."""
        products = np.abs(self.left).astype(object) @ np.abs(self.right).astype(object)
        return _EXACT_IN_FLOAT64 // max(1, int(products.max()))


def exact_factors(table: Integers, most: int) -> Factors | None:
    """Factors of an integer table, or None if its rank is above ``most``.

    Rows and columns that span the table are found by elimination modulo a prime; what is
    returned was multiplied out and is the table itself.

    Parameters
    ----------
    table
        Int64, shape (levels of a, levels of b).
    most
        Largest rank that is sought.
    """
    pivots = _pivots(table, most)
    if pivots is None:
        return None
    rows, columns = pivots
    core = [[Fraction(int(table[i, j])) for j in columns] for i in rows]
    weights = _times_inverse(table[:, columns], core)
    denominator = lcm(*(x.denominator for row in weights for x in row))
    left = [[int(x * denominator) for x in row] for row in weights]
    if _too_large(left, table, denominator):
        return None
    factors = Factors(
        np.array(left, np.int64).reshape(table.shape[0], len(rows)), table[rows], denominator
    )
    product = factors.left.astype(object) @ factors.right.astype(object)
    return factors if np.array_equal(product, table.astype(object) * denominator) else None


def low_rank_matmul(a: Codes, b: Codes, factors: Factors) -> Integers:
    """Sum over k of table[a[m, k], b[k, n]] by ordinary matrix products.

    Parameters
    ----------
    a, b
        Codes of levels, shapes (M, K) and (K, N).
    factors
        Of the table.

    Returns
    -------
    NDArray
        Int64, shape (M, N): the same as ``lut_matmul`` with the accumulator int64.

    Raises
    ------
    AtlasError
        If sums could be beyond what float64 holds exactly.
    """
    terms = a.shape[1]
    if terms > factors.most_terms:
        raise AtlasError(
            f"GEMM of rank {factors.rank}: {terms} products may be beyond 2^53, where float64 "
            f"skips integers; allowed: K up to {factors.most_terms} with this table; take "
            "lut_matmul with int64"
        )
    left, right = factors.left.astype(np.float64), factors.right.astype(np.float64)
    total = np.zeros((a.shape[0], b.shape[1]))
    block = max(1, _BLOCK // max(1, factors.rank * max(total.shape)))
    for first in range(0, terms, block):
        part = slice(first, first + block)
        of_a = left[a[:, part]].reshape(a.shape[0], -1)
        of_b = right[:, b[part]].transpose(1, 0, 2).reshape(-1, b.shape[1])
        total += of_a @ of_b
    return np.rint(total).astype(np.int64) // factors.denominator


def _pivots(table: Integers, most: int) -> tuple[list[int], list[int]] | None:
    """Rows and columns of a regular square part of full rank; None if there are more than most."""
    rest = table % _PRIME
    rows: list[int] = []
    columns: list[int] = []
    while rest.any():
        if len(rows) == most:
            return None
        i, j = (int(place) for place in np.unravel_index(int((rest != 0).argmax()), rest.shape))
        scaled = rest[:, j] * pow(int(rest[i, j]), -1, _PRIME) % _PRIME
        rest = (rest - np.multiply.outer(scaled, rest[i]) % _PRIME) % _PRIME
        rows.append(i)
        columns.append(j)
    return rows, columns


def _times_inverse(wide: Integers, core: list[list[Fraction]]) -> list[list[Fraction]]:
    """X with X core = wide, by Gauss-Jordan elimination of columns in exact arithmetic."""
    columns = [[Fraction(int(x)) for x in column] for column in wide.T]
    pivots = [list(column) for column in zip(*core, strict=True)]
    for i in range(len(core)):
        found = next(j for j in range(i, len(core)) if pivots[j][i])
        for part in (pivots, columns):
            part[i], part[found] = part[found], part[i]
        inverse = 1 / pivots[i][i]
        for part in (pivots, columns):
            part[i] = [x * inverse for x in part[i]]
        for j in range(len(core)):
            share = pivots[j][i]
            if j != i and share:
                for part in (pivots, columns):
                    part[j] = [x - share * y for x, y in zip(part[j], part[i], strict=True)]
    return [list(row) for row in zip(*columns, strict=True)] or [[] for _ in range(len(wide))]


def _too_large(left: list[list[int]], table: Integers, denominator: int) -> bool:
    """Whether a factor, or what the table is multiplied to, is beyond what float64 holds."""
    largest = max((abs(x) for row in left for x in row), default=0)
    return max(largest, int(np.abs(table).max()) * denominator) > _EXACT_IN_FLOAT64
