"""A matrix product of codes, every multiplication of which is a look-up in a table."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product.accumulators import Accumulator, Codes, Products

_CODE_TYPES = (np.uint8, np.uint16)


def lut_matmul(
    a: Codes, b: Codes, table: Products, accumulator: Accumulator, threads: int = 1
) -> NDArray[Any]:
    """Sum over k of table[a[m, k], b[k, n]], for every m and n.

    The sums are those of the accumulator, bit for bit, whatever the number of threads: every sum
    is made by one of them, in the order of k.

    Parameters
    ----------
    a, b
        Codes of levels, uint8 or uint16, shapes (M, K) and (K, N).
    table
        Product of two levels, integer or float, shape (levels of a, levels of b).
    accumulator
        How products are added.
    threads
        That share the rows of ``a``.

    Returns
    -------
    NDArray
        Of the accumulator's dtype, shape (M, N).

    Raises
    ------
    AtlasError
        If shapes or types do not fit, a code has no row or column in the table, or the
        accumulator could overflow.
    """
    _require_codes(a, b, table)
    accumulator.require_room(table, a.shape[1])
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    sums = np.zeros((a.shape[0], b.shape[1]), accumulator.dtype)
    bands = zip(np.array_split(a, threads), np.array_split(sums, threads), strict=True)
    if threads == 1:
        accumulator.add(a, b, table, sums)
        return sums
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda band: accumulator.add(band[0], b, table, band[1]), bands):
            pass
    return sums


def _require_codes(a: Codes, b: Codes, table: Products) -> None:
    if a.ndim != 2 or b.ndim != 2 or table.ndim != 2 or a.shape[1] != b.shape[0]:
        raise AtlasError(
            f"matrices of shapes {a.shape} and {b.shape}, a table of shape {table.shape}: allowed: "
            "(M, K), (K, N) and (levels of a, levels of b)"
        )
    for name, codes, levels in (("a", a, table.shape[0]), ("b", b, table.shape[1])):
        if codes.dtype not in _CODE_TYPES:
            raise AtlasError(f"codes {name} are {codes.dtype}; allowed: uint8, uint16")
        if codes.size and int(codes.max()) >= levels:
            raise AtlasError(
                f"codes {name} reach {codes.max()}, but the table has {levels} levels; allowed: 0 "
                f"to {levels - 1}"
            )
