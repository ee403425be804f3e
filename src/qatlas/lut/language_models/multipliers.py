"""What multiplies matrices of levels: true products, or a table's with an accumulator."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError, nearest
from qatlas.lut.matrix_product.accumulators import (
    FLOAT32,
    INT16,
    INT32,
    Accumulator,
    Codes,
    Products,
    within,
)
from qatlas.lut.matrix_product.integers import whole_numbers
from qatlas.lut.matrix_product.product import lut_matmul
from qatlas.lut.product_table import ProductTable

Floats = NDArray[np.float64]

_FINEST = 1 << 22
"""Largest product on a fixed-point grid of 32-bit sums, where these have room for it."""
_FINEST_OF_16_BITS = 1 << 11
"""The same of 16-bit sums, which then hold 16 times the largest product."""
_LARGEST_32, _LARGEST_16 = (1 << 31) - 1, (1 << 15) - 1


class Multiplier(Protocol):
    """Multiplies matrices of codes."""

    def __call__(self, a: Codes, b: Codes) -> Floats:
        """Sums of products of levels, (M, K) by (K, N) to float64 (M, N)."""


@dataclass(frozen=True, eq=False)
class TrueProducts:
    """True products of levels and their exact sums, by GEMM.

    Levels that are multiples of one step are integers in float64, and sums of their products are
    exact; others are right to the rounding of float64.

    Attributes
    ----------
    multiples
        Levels over the step, float64, shape (S,).
    step
        What 1 stands for.
    """

    multiples: Floats
    step: float

    @classmethod
    def of(cls, table: ProductTable) -> "TrueProducts":
        """Of the levels of a table."""
        whole = whole_numbers(table.levels, 1 << 16, 1)
        if whole.exact:
            return cls(whole.multiples.astype(np.float64), whole.step)
        return cls(table.levels, 1.0)

    def __call__(self, a: Codes, b: Codes) -> Floats:
        """Sums of products of levels."""
        sums: Floats = self.multiples[a] @ self.multiples[b]
        return sums * self.step**2


@dataclass(frozen=True, eq=False)
class TableProducts:
    """Products of a table, added by an accumulator.

    Attributes
    ----------
    products
        Over the step, as ``lut_matmul`` takes them, shape (S, S).
    step
        What 1 stands for.
    accumulator
        How they are added.
    """

    products: Products
    step: float
    accumulator: Accumulator

    def __call__(self, a: Codes, b: Codes) -> Floats:
        """Sums of the table's products."""
        return lut_matmul(a, b, self.products, self.accumulator).astype(np.float64) * self.step


def table_products(table: ProductTable, accumulator: str, terms: int) -> TableProducts:
    """Products of a table with an accumulator by its name.

    Products of an even encoding are whole numbers of R / (S - 1). Those of another are rounded to a
    fixed-point grid: for 32-bit sums the finest up to R / 2^22 that cannot overflow, for 16-bit
    sums one that leaves room for 16 times the largest product. Float32 sums take them as they are.

    Parameters
    ----------
    accumulator
        One of ``ACCUMULATORS``.
    terms
        K.

    Raises
    ------
    AtlasError
        If there is no such accumulator, or it has no room for K products.
    """
    if accumulator not in ACCUMULATORS:
        raise AtlasError(f"accumulator {accumulator!r}: {nearest(accumulator, ACCUMULATORS)}")
    return ACCUMULATORS[accumulator](table, terms)


def _in_int32(table: ProductTable, terms: int) -> TableProducts:
    largest = _LARGEST_32 // terms
    whole = whole_numbers(table.values, largest, min(largest, _FINEST))
    return TableProducts(whole.multiples[table.codes], whole.step, INT32)


def _in_int16(table: ProductTable, terms: int) -> TableProducts:
    whole = whole_numbers(table.values, _LARGEST_16, _FINEST_OF_16_BITS)
    return TableProducts(whole.multiples[table.codes], whole.step, INT16)


def _in_range(table: ProductTable, terms: int, times: int) -> TableProducts:
    found = _in_int32(table, terms)
    limit = round(times * table.limit / found.step)
    return TableProducts(found.products, found.step, within(limit))


def _in_float32(table: ProductTable, terms: int) -> TableProducts:
    return TableProducts(table.products, 1.0, FLOAT32)


ACCUMULATORS: dict[str, Callable[[ProductTable, int], TableProducts]] = {
    "int32": _in_int32,
    "int16": _in_int16,
    "float32": _in_float32,
    "range": partial(_in_range, times=1),
    "range_x4": partial(_in_range, times=4),
    "range_x16": partial(_in_range, times=16),
}
"""Products of a table as an accumulator takes them, given K, by the accumulator's name.

Those named after the range clip every sum to -R and R, or to so many times that."""
