"""Distance of every measured point to its limits."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qatlas.bounds.empirical import RateDistortionCurve
from qatlas.bounds.gaussian import rate_bits


def with_gaps(measured: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """The table ``measured`` with the columns that make it ``measurements``, in a fixed order.

    A gap is missing, not zero, where the error is zero or where the limit was not computed.
    """
    rows = measured.sort_values(
        ["model", "tensor", "codec", "series", "nominal_bits", "parameters"], ignore_index=True
    )
    nmse = rows.nmse.where(rows.nmse > 0).to_numpy(dtype=float)
    rate = rows.rate_bits_per_weight
    return rows.assign(
        gap_shannon_bits=rate - rate_bits(nmse),
        gap_empirical_bits=rate - _limit(rows, nmse, bounds, "empirical_bits"),
        gap_channel_variance_bits=rate - _limit(rows, nmse, bounds, "channel_variance_bits"),
    )


def _limit(
    rows: pd.DataFrame, nmse: NDArray[np.float64], bounds: pd.DataFrame, column: str
) -> NDArray[np.float64]:
    """Rate that a limit has at the error of each row, on its own tensor."""
    curves = {
        key: RateDistortionCurve(of_tensor.nmse.to_numpy(), of_tensor[column].to_numpy())
        for key, of_tensor in bounds.dropna(subset=[column])
        .sort_values("nmse")
        .groupby(["model", "tensor"])
    }
    limit = np.full(len(rows), np.nan)
    for key, index in rows.groupby(["model", "tensor"]).indices.items():
        if key in curves:
            limit[index] = curves[key].rate_at(nmse[index])
    return limit
