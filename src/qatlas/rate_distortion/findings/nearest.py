"""Which series comes nearest to the empirical bound at about equal rates."""

import pandas as pd

from qatlas.rate_distortion.findings.window import around
from qatlas.rate_distortion.operating_points import BITS
from qatlas.summary import Value

_ORIGIN = "rate_distortion/tables/measurements.parquet"


def nearest_values(name: str, points: pd.DataFrame) -> dict[str, Value]:
    """The nearest series around 2, 3 and 4 bits, and its gaps to both bounds.

    Parameters
    ----------
    name
        What the values' names begin with.
    points
        Columns series, rate_bits_per_weight, gap_empirical_bits and gap_shannon_bits.

    Returns
    -------
    dict[str, Value]
        None for bits about which nothing was measured.
    """
    points = points.dropna(subset=["gap_empirical_bits"])
    values = {}
    for bits in BITS:
        compared = around(points, bits)
        if compared.empty:
            continue
        best = compared.loc[compared.gap_empirical_bits.idxmin()]
        key = f"{name}.{bits}bit.nearest"
        values[f"{key}_to_empirical"] = Value(value=best.series, unit="series", origin=_ORIGIN)
        for gap in ("gap_empirical_bits", "gap_shannon_bits"):
            values[f"{key}_{gap}"] = Value(
                value=float(best[gap]), unit="bits per weight", origin=_ORIGIN
            )
    return values
