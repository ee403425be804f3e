"""A multiplication by look-up: operands on levels, and the code of the product of every two."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.lut.encodings import encoding_of

LEAST_SIZE, LARGEST_SIZE = 2, 4096


@dataclass(frozen=True, eq=False)
class ProductTable:
    """A table of products, of whatever encoding or multiplier.

    Attributes
    ----------
    name
        Of its encoding or multiplier.
    limit
        R: no product is beyond -R or R.
    levels
        Operands that rows and columns stand for, rising, float64, shape (S,).
    codes
        Code of the product of two levels, the narrowest unsigned integers that hold them, shape
        (S, S).
    values
        Product that each code stands for, rising, float64, shape (codes,).
    """

    name: str
    limit: float
    levels: NDArray[np.float64]
    codes: NDArray[np.unsignedinteger[Any]]
    values: NDArray[np.float64]

    @property
    def size(self) -> int:
        """S, the number of levels."""
        return self.levels.size

    @property
    def products(self) -> NDArray[np.float64]:
        """What the table says the product of two levels is, shape (S, S)."""
        found: NDArray[np.float64] = self.values[self.codes]
        return found

    @property
    def errors(self) -> NDArray[np.float64]:
        """Table less true product, shape (S, S)."""
        true: NDArray[np.float64] = np.multiply.outer(self.levels, self.levels)
        return self.products - true


def encoded_table(encoding: str, size: int, limit: float) -> ProductTable:
    """The table of an encoding: products within the range, their codes rounded to whole ones.

    Parameters
    ----------
    encoding
        Name of one of ``ENCODINGS``.
    size
        S, levels of operands and of products.
    limit
        R, the range of both.

    Raises
    ------
    AtlasError
        If the encoding is unknown, or it has no table of this size or range.
    """
    require_encodable(encoding, size, limit)
    found = encoding_of(encoding)
    levels = found.operands(size, limit)
    codes = np.rint(found.encode(np.multiply.outer(levels, levels), size, limit))
    narrowest = np.min_scalar_type(size - 1)
    values = found.decode(np.arange(size), size, limit)
    return ProductTable(encoding, limit, levels, codes.astype(narrowest), values)


def table_of_products(
    name: str, limit: float, levels: NDArray[np.float64], products: NDArray[np.float64]
) -> ProductTable:
    """A table whose products are given; every product that occurs gets a code.

    Parameters
    ----------
    name
        Of the multiplier.
    limit
        R: no product is beyond -R or R.
    levels
        Operands, rising, shape (S,).
    products
        Of every two of them, shape (S, S).
    """
    values, codes = np.unique(products, return_inverse=True)
    narrowest = np.min_scalar_type(values.size - 1)
    return ProductTable(
        name, limit, levels, codes.reshape(products.shape).astype(narrowest), values
    )


def require_encodable(encoding: str, size: int, limit: float) -> None:
    """Raise AtlasError if the encoding is unknown, or has no table of this size or range."""
    found = encoding_of(encoding)
    require_size(size)
    require_range(limit)
    if found.fixed_range not in (None, limit):
        raise AtlasError(
            f"range {limit:g} of {encoding}: it has range {found.fixed_range:g} and no other; take "
            "signed_ext for other ranges"
        )


def require_size(size: int) -> None:
    """Raise AtlasError if there is no table of so many levels."""
    if not LEAST_SIZE <= size <= LARGEST_SIZE:
        raise AtlasError(f"size {size} of a table: allowed: {LEAST_SIZE} to {LARGEST_SIZE} levels")


def require_range(limit: float) -> None:
    """Raise AtlasError if products cannot be held within this range."""
    if not (math.isfinite(limit) and limit > 0):
        raise AtlasError(f"range {limit} of a table: allowed: a finite number above 0")
