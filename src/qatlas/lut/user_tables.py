"""Tables of the user: a PNG, NPY or CSV file, refused unless it is a table of products."""

from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError, said
from qatlas.foreign_files import require_regular_file
from qatlas.lut.map_files import is_map, read_grey, read_map
from qatlas.lut.product_table import (
    LARGEST_SIZE,
    ProductTable,
    encoded_table,
    require_range,
    require_size,
    table_of_products,
)

_EVEN = "signed_ext"
"""How the codes of a user's table stand for products."""

_LARGEST_CSV = 2**28
"""Bytes; a table of 4096 x 4096 products of ten digits has less."""

Numbers = NDArray[Any]


def read_user_table(name: str, path: str | Path, limit: float) -> ProductTable:
    """Read a table: whole numbers are codes 0 to S - 1, others are products.

    Operands are even steps over the range, and so are the products that codes stand for. A map that
    the atlas wrote keeps its own encoding and range.

    Parameters
    ----------
    name
        By which it goes.
    path
        PNG (grey, 8 or 16 bits), NPY or CSV (no header, commas).
    limit
        R.

    Raises
    ------
    AtlasError
        If the file is of another kind or not readable, the table is not square, has a size that no
        table has, or holds NaN, codes above S - 1 or products beyond the range. Also if it is a map
        that was edited.
    """
    kind = Path(path).suffix.lower()
    where = f"lut.tables.{name}: {path}"
    if kind not in _READERS:
        raise AtlasError(f"{where}: a file of kind {kind!r}; allowed: {', '.join(_READERS)}")
    require_range(limit)
    require_regular_file(path, f"lut.tables.{name}")
    try:
        if kind == ".png" and is_map(path):
            own = read_map(path)
            return ProductTable(name, own.limit, own.levels, own.codes, own.values)
        numbers = _READERS[kind](path)
    except (OSError, EOFError, ValueError) as error:
        raise AtlasError(f"{where}: not readable ({said(error)})") from error
    _require_square(where, numbers)
    if np.issubdtype(numbers.dtype, np.integer):
        return _of_codes(where, name, numbers, limit)
    return _of_products(where, name, numbers, limit)


def _of_codes(where: str, name: str, codes: Numbers, limit: float) -> ProductTable:
    size = len(codes)
    if codes.min() < 0 or codes.max() >= size:
        raise AtlasError(
            f"{where}: codes from {codes.min()} to {codes.max()}; allowed: 0 to {size - 1}, one "
            "less than the rows"
        )
    even = encoded_table(_EVEN, size, limit)
    return ProductTable(name, limit, even.levels, codes.astype(even.codes.dtype), even.values)


def _of_products(where: str, name: str, products: Numbers, limit: float) -> ProductTable:
    products = products.astype(np.float64)
    if np.isnan(products).any():
        row, column = np.argwhere(np.isnan(products))[0]
        raise AtlasError(
            f"{where}: NaN in row {row}, column {column}; a table has a product for every pair"
        )
    if np.abs(products).max() > limit:
        raise AtlasError(
            f"{where}: products from {products.min():g} to {products.max():g}; allowed: "
            f"-{limit:g} to {limit:g} (lut.range)"
        )
    levels = np.linspace(-limit, limit, len(products))
    return table_of_products(name, limit, levels, products + 0.0)


def _require_square(where: str, numbers: Numbers) -> None:
    if numbers.ndim != 2 or numbers.shape[0] != numbers.shape[1]:
        shape = " x ".join(map(str, numbers.shape))
        raise AtlasError(f"{where}: {shape} numbers; a table has as many rows as columns")
    try:
        require_size(len(numbers))
    except AtlasError as error:
        raise AtlasError(f"{where}: {error}") from error


def _read_npy(path: str | Path) -> Numbers:
    # Mapped: what a header claims is not allocated, and more than the file has is refused.
    try:
        numbers: Numbers = np.lib.format.open_memmap(path, mode="r")
    except (SyntaxError, TokenError) as error:
        raise ValueError(f"its header is none: {error}") from error
    if numbers.dtype.kind not in "iuf":
        raise ValueError(f"numbers of type {numbers.dtype}")
    fits = numbers.ndim == 2 and max(numbers.shape) <= LARGEST_SIZE
    return np.array(numbers) if fits else numbers


def _read_csv(path: str | Path) -> Numbers:
    if (size := Path(path).stat().st_size) > _LARGEST_CSV:
        raise ValueError(f"it has {size} bytes; allowed are {_LARGEST_CSV}")
    rows = [line.split(",") for line in Path(path).read_text().splitlines() if line.strip()]
    if len({len(row) for row in rows}) != 1:
        raise ValueError("its rows are not equally long, or there are none")
    try:
        return np.array([[int(cell) for cell in row] for row in rows], np.int64)
    except (ValueError, OverflowError):
        return np.array([[float(cell) for cell in row] for row in rows])


_READERS: dict[str, Callable[[str | Path], Numbers]] = {
    ".png": lambda path: read_grey(path)[0],
    ".npy": _read_npy,
    ".csv": _read_csv,
}
