"""Which true rates count as about equal."""

import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.rate_distortion.operating_points import BITS, WINDOW_BITS
from qatlas.summary import Value


def around(points: pd.DataFrame, bits: float) -> pd.DataFrame:
    """Points whose true rate is about so many bits, both ends included."""
    return points[(points.rate_bits_per_weight - bits).abs() <= WINDOW_BITS]


def window_values(settings: RateDistortion) -> dict[str, Value]:
    """Both ends of what counts as about 2, 3 and 4 bits, and the bits that are configured."""
    ends = {"low": -WINDOW_BITS, "high": WINDOW_BITS}
    return {
        f"window.{bits}bit.{end}": Value(
            value=bits + offset, unit="bits per weight", origin="definition"
        )
        for bits in sorted({*BITS, settings.sensitivity_bits})
        for end, offset in ends.items()
    }
