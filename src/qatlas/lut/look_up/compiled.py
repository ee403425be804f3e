"""Products by look-up for whole arrays, compiled."""

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.lut.look_up.definition import LookUp, product

Floats = NDArray[np.float64]


@numba.njit(cache=True)
def products(
    table: LookUp, method: int, a: Floats, b: Floats, draws_a: Floats, draws_b: Floats
) -> Floats:
    """Products of arrays of shape (n,), as ``vectorised.products`` has them."""
    found = np.empty(a.size)
    for k in range(a.size):
        found[k] = product(table, method, a[k], b[k], draws_a[k], draws_b[k])
    return found
