"""Multipliers of eight bits as tables of products: float8, a logarithmic number system, Mitchell's.

Their operands are not evenly spaced, or are whole numbers: what rows and columns stand for differs
from one to the next.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from qatlas.errors import AtlasError, nearest
from qatlas.lut.product_table import ProductTable, require_range, table_of_products

_FRACTION_BITS = 4
"""Of lns8: steps of its logarithms are 1/16 of an octave."""
_MAGNITUDES = 127
"""Of lns8: all magnitudes of seven bits but that of zero."""


def multiplier_table(name: str, limit: float) -> ProductTable:
    """The table of a multiplier.

    Parameters
    ----------
    name
        One of ``MULTIPLIERS``.
    limit
        R of those that have no range of their own.

    Raises
    ------
    AtlasError
        If there is no such multiplier or range.
    """
    if name not in MULTIPLIERS:
        raise AtlasError(f"multiplier {name!r}: {nearest(name, MULTIPLIERS)}")
    require_range(limit)
    return MULTIPLIERS[name](limit)


def float8_table(name: str, dtype: Any, limit: float) -> ProductTable:
    """Products rounded to the nearest number of an eight-bit floating-point format.

    Micikevicius et al. 2022, FP8 Formats for Deep Learning (arXiv:2209.05433); products beyond the
    largest finite number become that number. Both zeros are one level.

    Parameters
    ----------
    dtype
        Of ml_dtypes.
    limit
        Not used: the range is the format's.
    """
    numbers = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float64)
    levels = np.unique(numbers[np.isfinite(numbers)])
    top = float(levels[-1])
    # The product of two such numbers is exact in single precision, so it is rounded once.
    exact = np.clip(np.multiply.outer(levels, levels), -top, top).astype(np.float32)
    products = exact.astype(dtype).astype(np.float64)
    return table_of_products(name, top, levels, products + 0.0)


def lns_table(limit: float) -> ProductTable:
    """Products in a logarithmic number system: a sign, and seven bits of logarithm or zero.

    Magnitudes are 2^(k/16), the largest within the range. A product adds two k, which is exact;
    beyond the largest magnitude it saturates, below half of the least it becomes zero. Swartzlander
    and Alexopoulos 1975, The Sign/Logarithm Number System.
    """
    steps = 1 << _FRACTION_BITS
    top = math.floor(math.log2(limit) * steps)
    exponents = np.arange(top - _MAGNITUDES + 1, top + 1)
    magnitudes = np.exp2(exponents / steps)
    sums = np.minimum(np.add.outer(exponents, exponents), top)
    products = np.where(sums < exponents[0], 0.0, np.exp2(sums / steps))
    # From just below the least magnitude down to half of it, the least is nearer than zero.
    near = (sums < exponents[0]) & (np.exp2(sums / steps) > magnitudes[0] / 2)
    products[near] = magnitudes[0]
    signed = np.zeros((2 * _MAGNITUDES + 1,) * 2)
    above, below = slice(_MAGNITUDES + 1, None), slice(_MAGNITUDES - 1, None, -1)
    signed[above, above] = signed[below, below] = products
    signed[above, below] = signed[below, above] = -products
    levels = np.concatenate([-magnitudes[::-1], [0.0], magnitudes])
    return table_of_products("lns8", limit, levels, signed + 0.0)


def mitchell_table(limit: float) -> ProductTable:
    """Products of whole numbers of eight bits by Mitchell's logarithms.

    The logarithm of 2^k (1 + x) is taken as k + x, and the inverse likewise, so a product is never
    above the true one. Mitchell 1962, Computer Multiplication and Division Using Binary Logarithms,
    equations 24 and 25.

    Parameters
    ----------
    limit
        Not used: operands are 0 to 255.
    """
    levels = np.arange(256)
    powers = 1 << np.maximum(np.frexp(levels)[1] - 1, 0)
    rests = levels - powers
    # 2^(k1+k2) times x1 + x2, which are whole numbers.
    sums = np.multiply.outer(rests, powers) + np.multiply.outer(powers, rests)
    ones = np.multiply.outer(powers, powers)
    products = np.where(sums < ones, ones + sums, 2 * sums)
    products[0] = products[:, 0] = 0
    top = float(levels[-1]) ** 2
    return table_of_products(
        "mitchell8", top, levels.astype(np.float64), products.astype(np.float64)
    )


Make = Callable[[float], ProductTable]
MULTIPLIERS: dict[str, Make] = {
    "float8_e4m3": partial(float8_table, "float8_e4m3", ml_dtypes.float8_e4m3fn),
    "float8_e5m2": partial(float8_table, "float8_e5m2", ml_dtypes.float8_e5m2),
    "lns8": lns_table,
    "mitchell8": mitchell_table,
}
"""How the table of each is made, by name."""
