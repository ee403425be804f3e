"""How many digits a number is printed with: decided here and nowhere else."""

from math import floor, isfinite, log10

SIGNIFICANT = 3
"""Significant digits of a number; all digits before the point are kept."""
OF_SPREAD = 2
"""Significant digits of half an interval, which its ends and its middle have too."""
MOST_SIGNIFICANT = 6
"""However narrow its interval is."""
LARGEST, SMALLEST = 1e6, 1e-3
"""Magnitudes from which on, and below which, a number is written with a power of ten."""


def written(number: float, spread: float = 0.0) -> str:
    """A number as digits, such as ``0.0174``, ``1585`` or ``2.38e11``; whole ones are exact.

    Parameters
    ----------
    number
        A finite number.
    spread
        Half of its interval, in the same unit; 0 where it has none.

    Raises
    ------
    ValueError
        If the number is not finite.
    """
    if not isfinite(number):
        raise ValueError(f"{number} has no digits")
    if isinstance(number, int) or number == 0:
        return str(int(number))
    if not SMALLEST <= abs(number) < LARGEST:
        mantissa, exponent = f"{number:.{SIGNIFICANT - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    own = _decimals(number, SIGNIFICANT)
    of_spread = _decimals(spread, OF_SPREAD) if spread > 0 else own
    return fixed(number, min(max(own, of_spread), _decimals(number, MOST_SIGNIFICANT)))


def fixed(number: float, decimals: int) -> str:
    """A number with so many digits after the point; a zero has no sign."""
    return f"{number:z.{decimals}f}"


def _decimals(number: float, significant: int) -> int:
    """Digits after the point that so many significant ones take."""
    rounded = float(f"{number:.{significant - 1}e}")
    return max(0, significant - 1 - floor(log10(abs(rounded))))
