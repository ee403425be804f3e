"""Products by look-up for whole arrays, in NumPy."""

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.companders import asinh_expand, identity, log_expand
from qatlas.lut.look_up.definition import ASINH, BILINEAR, EVEN, LOG, STOCHASTIC, LookUp

Floats = NDArray[np.float64]

_EXPANDERS = {EVEN: identity, LOG: log_expand, ASINH: asinh_expand}


def positions(table: LookUp, operands: Floats) -> Floats:
    """Where operands lie among the levels, in [0, S - 1]."""
    last = table.codes.shape[0] - 1.0
    clipped = np.clip(operands, table.low, table.high)
    places: Floats = np.minimum((clipped - table.low) * last / (table.high - table.low), last)
    return places


def decode(table: LookUp, codes: Floats) -> Floats:
    """Products that codes stand for, which may lie between whole ones; none beyond the range."""
    share = codes / (table.codes.shape[0] - 1.0)
    sign = np.ones_like(share)
    if table.signed:
        share = 2.0 * share - 1.0
        sign = np.where(share < 0.0, -1.0, 1.0)
        share = np.abs(share)
    found: Floats = sign * table.limit * np.minimum(_EXPANDERS[table.curve](share), 1.0)
    return found


def products(
    table: LookUp, method: int, a: Floats, b: Floats, draws_a: Floats, draws_b: Floats
) -> Floats:
    """Products of arrays, element by element, as ``definition.product`` has them.

    Parameters
    ----------
    table
        Where to look.
    method
        NEAREST, STOCHASTIC or BILINEAR.
    a, b
        Operands, any numbers but NaN, float64, of one shape.
    draws_a, draws_b
        From [0, 1), of that shape, for stochastic rounding alone.
    """
    u, v = positions(table, a), positions(table, b)
    if method == BILINEAR:
        return _bilinear(table, u, v)
    last = table.codes.shape[0] - 1
    if method == STOCHASTIC:
        i, j = np.floor(u + draws_a), np.floor(v + draws_b)
    else:
        i, j = np.rint(u), np.rint(v)
    rows, columns = (np.minimum(place, last).astype(np.int64) for place in (i, j))
    found: Floats = table.values[table.codes[rows, columns]]
    return found


def _bilinear(table: LookUp, u: Floats, v: Floats) -> Floats:
    before_last = table.codes.shape[0] - 2
    i = np.minimum(np.floor(u), before_last).astype(np.int64)
    j = np.minimum(np.floor(v), before_last).astype(np.int64)
    x, y = u - i, v - j
    low = (1.0 - y) * table.codes[i, j] + y * table.codes[i, j + 1]
    high = (1.0 - y) * table.codes[i + 1, j] + y * table.codes[i + 1, j + 1]
    return decode(table, (1.0 - x) * low + x * high)
