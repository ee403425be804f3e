"""Companders on [0, 1], and their inverses, which read the codes of a table as products.

The inverses are needed between whole codes too, one at a time, for arrays, and in compiled loops,
and must agree to the last bit. Mathematical libraries differ there, so these use additions and
multiplications alone, which IEEE 754 leaves no choice.
"""

from typing import TypeVar

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

LOG_RATE = float(np.log(10.0))
"""Of the logarithmic compander, log10(1 + 9 t)."""
WARP = 10.0
"""Of the warped compander: its slope at zero is WARP / asinh(WARP), about 3.3."""
WARP_RATE = float(np.arcsinh(WARP))

_HALVINGS = 4
_TAYLOR = tuple(1.0 / float(np.prod(np.arange(1.0, order + 1))) for order in range(12, -1, -1))
"""Coefficients of e^x from the highest order down; enough to the last bit for |x| < 0.2."""


def log_compress(share: Floats) -> Floats:
    """log10(1 + 9 t): the mu-law of ITU-T G.711 with mu = 9."""
    return np.log10(1 + 9 * share)


def asinh_compress(share: Floats) -> Floats:
    """asinh(WARP t) / asinh(WARP)."""
    return np.arcsinh(WARP * share) / WARP_RATE


@register_jitable
def exponential(x: Number) -> Number:
    """e^x for |x| <= 3, to 4e-15 of its value: Taylor's series of x / 16, squared four times."""
    part = x / 2.0**_HALVINGS
    power = 0.0 * part
    for coefficient in _TAYLOR:
        power = power * part + coefficient
    for _ in range(_HALVINGS):
        power = power * power
    return power


_LOG_SPAN = exponential(LOG_RATE) - 1.0
_WARP_SPAN = exponential(WARP_RATE) - exponential(-WARP_RATE)


@register_jitable
def identity(share: Number) -> Number:
    """Even steps: the share itself."""
    return share


@register_jitable
def log_expand(share: Number) -> Number:
    """(10^y - 1) / 9, the inverse of ``log_compress``."""
    return (exponential(LOG_RATE * share) - 1.0) / _LOG_SPAN


@register_jitable
def asinh_expand(share: Number) -> Number:
    """sinh(y asinh(WARP)) / WARP, the inverse of ``asinh_compress``."""
    exponent = WARP_RATE * share
    return (exponential(exponent) - exponential(-exponent)) / _WARP_SPAN
