"""What a product by look-up is, one product at a time.

The position of an operand f among S levels over [-R, R] is u = (f + R)(S - 1) / (2R), over [0, R]
u = f (S - 1) / R; operands beyond the levels are clipped onto the outer ones. Functions here run as
they stand and, called from compiled loops, compiled: either way the same operations in the same
order, hence the same bits.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from qatlas.errors import AtlasError, nearest
from qatlas.lut.companders import asinh_expand, identity, log_expand
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.product_table import ProductTable

EVEN, LOG, ASINH = range(3)
_CURVES: dict[Any, int] = {identity: EVEN, log_expand: LOG, asinh_expand: ASINH}

NEAREST, STOCHASTIC, BILINEAR = range(3)
METHODS = {"nearest": NEAREST, "stochastic": STOCHASTIC, "bilinear": BILINEAR}
"""Ways to look a product up, by name."""


class LookUp(NamedTuple):
    """A table of products as loops read it.

    Attributes
    ----------
    codes
        Code of the product of two levels, uint16, shape (S, S).
    values
        Product that each code stands for, float64, shape (S,).
    low, high
        Outermost levels of operands.
    limit
        R.
    signed
        Whether products below zero have codes.
    curve
        Which compander reads codes: EVEN, LOG or ASINH.
    """

    codes: NDArray[np.uint16]
    values: NDArray[np.float64]
    low: float
    high: float
    limit: float
    signed: bool
    curve: int


def look_up_in(table: ProductTable) -> LookUp:
    """A table of an encoding, ready to be looked up in.

    Raises
    ------
    AtlasError
        If the table is not of an encoding: the codes of others have no formula that could be read
        between them.
    """
    if table.name not in ENCODINGS:
        raise AtlasError(f"look-up in the table {table.name!r}: {nearest(table.name, ENCODINGS)}")
    encoding = ENCODINGS[table.name]
    return LookUp(
        codes=np.ascontiguousarray(table.codes, np.uint16),
        values=np.ascontiguousarray(table.values, np.float64),
        low=float(table.levels[0]),
        high=float(table.levels[-1]),
        limit=float(table.limit),
        signed=encoding.signed,
        curve=_CURVES[encoding.expand],
    )


def method_of(name: str) -> int:
    """Number of a method.

    Raises
    ------
    AtlasError
        If there is none of that name.
    """
    if name not in METHODS:
        raise AtlasError(f"method {name!r} of look-up: {nearest(name, METHODS)}")
    return METHODS[name]


@register_jitable
def position(table: LookUp, operand: float) -> float:
    """Where an operand lies among the levels: u in [0, S - 1]."""
    last = table.codes.shape[0] - 1.0
    clipped = min(max(operand, table.low), table.high)
    place: float = min((clipped - table.low) * last / (table.high - table.low), last)
    return place


@register_jitable
def decode(table: LookUp, code: float) -> float:
    """Product that a code stands for, which may lie between whole ones; never beyond the range."""
    share: float = code / (table.codes.shape[0] - 1.0)
    sign = 1.0
    if table.signed:
        share = 2.0 * share - 1.0
        if share < 0.0:
            sign = -1.0
            share = -share
    if table.curve == LOG:
        share = log_expand(share)
    elif table.curve == ASINH:
        share = asinh_expand(share)
    return sign * table.limit * min(share, 1.0)


@register_jitable
def nearest_product(table: LookUp, a: float, b: float) -> float:
    """The entry of the levels nearest to both operands."""
    i, j = round(position(table, a)), round(position(table, b))
    return float(table.values[table.codes[i, j]])


@register_jitable
def stochastic_product(table: LookUp, a: float, b: float, draw_a: float, draw_b: float) -> float:
    """The entry of floor(u + draw), draws from [0, 1): each operand right in the mean."""
    last = table.codes.shape[0] - 1
    i = min(math.floor(position(table, a) + draw_a), last)
    j = min(math.floor(position(table, b) + draw_b), last)
    return float(table.values[table.codes[i, j]])


@register_jitable
def bilinear_product(table: LookUp, a: float, b: float) -> float:
    """Codes of the four entries around the operands, interpolated and then decoded."""
    u, v = position(table, a), position(table, b)
    # Of an operand on the last level, the cell before it.
    i = min(math.floor(u), table.codes.shape[0] - 2)
    j = min(math.floor(v), table.codes.shape[0] - 2)
    x, y = u - i, v - j
    low = (1.0 - y) * table.codes[i, j] + y * table.codes[i, j + 1]
    high = (1.0 - y) * table.codes[i + 1, j] + y * table.codes[i + 1, j + 1]
    return decode(table, (1.0 - x) * low + x * high)


# Called, it would be handed the whole table anew for every product.
@register_jitable(inline="always")
def product(table: LookUp, method: int, a: float, b: float, draw_a: float, draw_b: float) -> float:
    """The product of two numbers by look-up.

    Parameters
    ----------
    table
        Where to look.
    method
        NEAREST, STOCHASTIC or BILINEAR.
    a, b
        Operands, any numbers but NaN.
    draw_a, draw_b
        From [0, 1), for stochastic rounding alone.
    """
    if method == STOCHASTIC:
        return stochastic_product(table, a, b, draw_a, draw_b)
    if method == BILINEAR:
        return bilinear_product(table, a, b)
    return nearest_product(table, a, b)
