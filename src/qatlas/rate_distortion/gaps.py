"""Distance of every measured point to its limits."""

import numpy as np
import pandas as pd

from qatlas.bounds.empirical import RateDistortionCurve
from qatlas.bounds.gaussian import rate_bits


def with_gaps(measured: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """The table ``measured`` with the columns that make it ``measurements``, in a fixed order.

    A gap is missing, not zero, where the error is zero or where the limit was not computed.
    """
    curves = {
        key: RateDistortionCurve(rows.nmse.to_numpy(), rows.empirical_bits.to_numpy())
        for key, rows in bounds.sort_values("nmse").groupby(["model", "tensor"])
    }
    rows = measured.sort_values(
        ["model", "tensor", "codec", "series", "nominal_bits", "parameters"], ignore_index=True
    )
    nmse = rows.nmse.where(rows.nmse > 0).to_numpy(dtype=float)
    shannon = rate_bits(nmse)
    empirical = np.full(len(rows), np.nan)
    for key, index in rows.groupby(["model", "tensor"]).indices.items():
        if key in curves:
            empirical[index] = curves[key].rate_at(nmse[index])
    rate = rows.rate_bits_per_weight
    return rows.assign(gap_shannon_bits=rate - shannon, gap_empirical_bits=rate - empirical)
