"""Multipliers of eight bits as tables of products: float8, a logarithmic number system, Mitchell's.

Their operands are not evenly spaced, or are whole numbers: what rows and columns stand for differs
from one to the next.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from qatlas.errors import AtlasError, nearest
from qatlas.lut.product_table import ProductTable, table_of_products

_STEPS = 8
"""Of lns8: steps of its logarithms to an octave."""
_TOP = 63
"""Of lns8: the largest of its logarithms, in steps; the least is as far below zero."""


def multiplier_table(name: str) -> ProductTable:
    """The table of a multiplier.

    Parameters
    ----------
    name
        One of ``MULTIPLIERS``.

    Raises
    ------
    AtlasError
        If there is no such multiplier.
    """
    if name not in MULTIPLIERS:
        raise AtlasError(f"multiplier {name!r}: {nearest(name, MULTIPLIERS)}")
    return MULTIPLIERS[name]()


def float8_table(name: str, dtype: Any) -> ProductTable:
    """Products rounded to the nearest number of an eight-bit floating-point format.

    Micikevicius et al. 2022, FP8 Formats for Deep Learning (arXiv:2209.05433); products beyond the
    largest finite number become that number. Both zeros are one level.

    Parameters
    ----------
    name
        Of the format.
    dtype
        Of ml_dtypes.
    """
    numbers = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float64)
    levels = np.unique(numbers[np.isfinite(numbers)])
    top = float(levels[-1])
    # The product of two such numbers is exact in single precision, so it is rounded once.
    exact = np.clip(np.multiply.outer(levels, levels), -top, top).astype(np.float32)
    products = exact.astype(dtype).astype(np.float64)
    return table_of_products(name, top, levels, products + 0.0)


def lns_table() -> ProductTable:
    """Products in a logarithmic number system: a sign, and seven bits of logarithm or zero.

    Swartzlander and Alexopoulos 1975, The Sign/Logarithm Number System. Magnitudes are 2^(k/8),
    the steps of LNS-Madam (Zhao et al. 2022, arXiv:2106.13914), for k from -63 to 63; the logarithm
    that is left stands for zero. A product adds two k, which is exact. Beyond the largest magnitude
    it saturates; below the least it becomes the nearer of the least and zero.
    """
    exponents = np.arange(-_TOP, _TOP + 1)
    magnitudes = np.exp2(exponents / _STEPS)
    sums = np.add.outer(exponents, exponents)
    # Half of the least magnitude is an octave below it.
    low = np.where(sums >= -_TOP - _STEPS, magnitudes[0], 0.0)
    products = np.where(sums < -_TOP, low, np.exp2(np.minimum(sums, _TOP) / _STEPS))
    zeros = np.zeros((exponents.size, 1))
    half = np.hstack([-products[:, ::-1], zeros, products])
    levels = np.concatenate([-magnitudes[::-1], [0.0], magnitudes])
    whole = np.vstack([-half[::-1], np.zeros((1, levels.size)), half])
    return table_of_products("lns8", float(magnitudes[-1]), levels, whole + 0.0)


def mitchell_table() -> ProductTable:
    """Products of whole numbers of eight bits by Mitchell's logarithms.

    The logarithm of 2^k (1 + x) is taken as k + x, and the inverse likewise, so a product is never
    above the true one. Mitchell 1962, Computer Multiplication and Division Using Binary Logarithms,
    equations 24 and 25. Operands are 0 to 255.
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


MULTIPLIERS: dict[str, Callable[[], ProductTable]] = {
    "float8_e4m3": partial(float8_table, "float8_e4m3", ml_dtypes.float8_e4m3fn),
    "float8_e5m2": partial(float8_table, "float8_e5m2", ml_dtypes.float8_e5m2),
    "lns8": lns_table,
    "mitchell8": mitchell_table,
}
"""How the table of each is made, by name."""
