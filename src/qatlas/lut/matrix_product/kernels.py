"""Compiled sums of looked-up products: one row of the table at a time, over a row of codes.

For one output row and one k all products stand in one row of the table, which stays in the
first-level cache, and codes and sums are read in the order in which they lie. All kernels add
products in the order of k.
"""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def add_products(a: Any, b: Any, table: Any, sums: Any) -> None:
    """Add the products of every k to ``sums``, in its own arithmetic.

    Parameters
    ----------
    a, b
        Codes, uint8 or uint16, shapes (M, K) and (K, N).
    table
        Of the type of ``sums``, shape (levels of a, levels of b).
    sums
        Int32, int64 or float32, shape (M, N).
    """
    rows, terms = a.shape
    columns = b.shape[1]
    for m in range(rows):
        total = sums[m]
        for k in range(terms):
            products, codes = table[a[m, k]], b[k]
            for n in range(columns):
                total[n] += products[codes[n]]


@numba.njit(cache=True, nogil=True)
def add_products_within(a: Any, b: Any, table: Any, low: Any, high: Any, sums: Any) -> None:
    """The same with int32 sums that are clipped to [low, high] after every addition."""
    rows, terms = a.shape
    columns = b.shape[1]
    found = np.empty(columns, sums.dtype)
    for m in range(rows):
        total = sums[m]
        for k in range(terms):
            products, codes = table[a[m, k]], b[k]
            # Apart from the clipping, several of which a processor does at once.
            for n in range(columns):
                found[n] = products[codes[n]]
            for n in range(columns):
                total[n] = min(max(np.int32(total[n] + found[n]), low), high)
