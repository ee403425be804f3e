"""How products are added up: in whole numbers, within bounds, or in float32.

An accumulator that could overflow is refused before anything is added, never wrapped around. The
rule is the worst case: K times the largest and the smallest product of the table must have room.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product import byte_shuffles
from qatlas.lut.matrix_product.kernels import add_products, add_products_within

Codes = NDArray[np.unsignedinteger[Any]]
Products = NDArray[Any]


class Accumulator(Protocol):
    """A kind of sum."""

    @property
    def name(self) -> str:
        """As in the configuration."""

    @property
    def dtype(self) -> Any:
        """Of the sums."""

    def require_room(self, table: Products, terms: int) -> None:
        """Raise AtlasError if products of this table, so many to a sum, do not fit."""

    def add(self, a: Codes, b: Codes, table: Products, sums: Products) -> None:
        """Add the products to ``sums``, in the order of k; arguments as ``lut_matmul`` has them."""


@dataclass(frozen=True)
class WholeSums:
    """Exact integer sums, int32 or int64; a table that could overflow them is refused."""

    name: str

    @property
    def dtype(self) -> Any:
        """Of the sums."""
        return np.dtype(self.name)

    def most_terms(self, table: Products) -> int:
        """The largest K that cannot overflow."""
        room = np.iinfo(self.dtype)
        high, low = int(table.max()), int(table.min())
        above = room.max // high if high > 0 else room.max
        below = room.min // low if low < 0 else room.max
        return min(above, below)

    def require_room(self, table: Products, terms: int) -> None:
        """Raise AtlasError if so many terms could overflow, or products are no integers."""
        _require_integers(self.name, table)
        if terms > (most := self.most_terms(table)):
            raise AtlasError(
                f"accumulator {self.name}: {terms} products between {table.min()} and "
                f"{table.max()} may overflow it; allowed: K up to {most} with this table; take "
                "int64, or a saturating accumulator"
            )

    def add(self, a: Codes, b: Codes, table: Products, sums: Products) -> None:
        """Add the products to ``sums``; with byte shuffles where the processor has them."""
        if byte_shuffles.AVAILABLE and a.dtype == b.dtype == np.uint8:
            sums += _shuffled_sums(a, b, table)
        else:
            add_products(a, b, table.astype(self.dtype), sums)


@dataclass(frozen=True)
class SaturatingSums:
    """Integer sums that are clipped to bounds after every addition, in the order of k.

    Attributes
    ----------
    low, high
        Bounds, in units of the table's integers; 0 lies between them.
    """

    name: str
    low: int
    high: int

    @property
    def dtype(self) -> Any:
        """Of the sums."""
        return np.dtype(np.int32)

    def require_room(self, table: Products, terms: int) -> None:
        """Raise AtlasError if a sum before clipping could overflow int32."""
        _require_integers(self.name, table)
        room = np.iinfo(np.int32)
        high, low = int(table.max()) + self.high, int(table.min()) + self.low
        if high > room.max or low < room.min or not self.low <= 0 <= self.high:
            raise AtlasError(
                f"accumulator {self.name}: bounds {self.low} and {self.high} with products between "
                f"{table.min()} and {table.max()}; allowed: bounds around 0 which, with a product "
                "added, int32 holds"
            )

    def add(self, a: Codes, b: Codes, table: Products, sums: Products) -> None:
        """Add the products to ``sums``."""
        bounds = np.int32(self.low), np.int32(self.high)
        add_products_within(a, b, table.astype(np.int32), *bounds, sums)


@dataclass(frozen=True)
class Float32Sums:
    """Float32 sums of products rounded to float32, each rounded, in the order of k.

    They are exact while every sum is an integer up to 2^24.
    """

    name: str = "float32"

    @property
    def dtype(self) -> Any:
        """Of the sums."""
        return np.dtype(np.float32)

    def require_room(self, table: Products, terms: int) -> None:
        """Raise AtlasError if sums could be infinite."""
        if terms * float(np.abs(table).max()) > float(np.finfo(np.float32).max):
            raise AtlasError(
                f"accumulator {self.name}: {terms} products up to {np.abs(table).max():g} may be "
                "infinite in it; scale the table down"
            )

    def add(self, a: Codes, b: Codes, table: Products, sums: Products) -> None:
        """Add the products to ``sums``."""
        add_products(a, b, table.astype(np.float32), sums)


INT32, INT64 = WholeSums("int32"), WholeSums("int64")
INT16 = SaturatingSums("int16", -(1 << 15), (1 << 15) - 1)
FLOAT32 = Float32Sums()


def within(limit: int) -> SaturatingSums:
    """Sums that never leave [-limit, limit], in units of the table's integers."""
    return SaturatingSums("range", -limit, limit)


def _require_integers(name: str, table: Products) -> None:
    if not np.issubdtype(table.dtype, np.integer):
        raise AtlasError(
            f"accumulator {name}: the table holds {table.dtype}; allowed: integers; take "
            "whole_numbers of it, or the accumulator float32"
        )


def _shuffled_sums(a: Codes, b: Codes, table: Products) -> NDArray[np.int64]:
    """Exact sums, byte by byte of the products; int64, shape (M, N)."""
    columns = b.shape[1]
    padded = np.pad(b, ((0, 0), (0, -columns % byte_shuffles.LANES)))
    column = byte_shuffles.places(padded.shape[1])
    low, unit, planes = _bytes_of(table)
    total = np.full((a.shape[0], columns), a.shape[1] * low)
    for power, plane in enumerate(planes):
        sums = np.zeros((a.shape[0], padded.shape[1]), np.int64)
        byte_shuffles.add_bytes(a, padded, plane, column, sums)
        total += (unit << 8 * power) * sums[:, :columns]
    return total


def _bytes_of(table: Products) -> tuple[int, int, Iterator[NDArray[np.uint8]]]:
    """A table as low + unit (p0 + 256 p1 + ...): low, unit and the planes p, padded to 256 columns.

    The unit is the largest that all differences share. That of an even encoding is 2, so that its
    256 products take one plane.
    """
    low = int(table.min())
    above = table.astype(np.int64) - low
    unit = int(np.gcd.reduce(above, axis=None)) or 1
    rest = above // unit
    depth = max(1, -(-int(rest.max()).bit_length() // 8))
    empty = ((0, 0), (0, byte_shuffles.LEVELS - table.shape[1]))
    planes = (np.pad((rest >> 8 * p).astype(np.uint8), empty) for p in range(depth))
    return low, unit, planes
