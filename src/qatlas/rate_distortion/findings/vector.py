"""Vector quantization beside scalar quantization, on the example's tensor."""

import pandas as pd

from qatlas.bounds.gaussian import rate_bits
from qatlas.config.rate_distortion import RateDistortion
from qatlas.envelopes import with_best
from qatlas.rate_distortion.findings.nearest import nearest_values
from qatlas.summary import Value

VECTOR = "vector"
SCALAR = ("uniform", "lloyd_max", "entropy_coded")
"""Families that are compared: of vectors, and of one weight at a time."""

_COLUMNS = ["rate_bits_per_weight", "nmse", "gap_shannon_bits", "gap_empirical_bits"]


def vector_and_scalar(measurements: pd.DataFrame, settings: RateDistortion) -> pd.DataFrame:
    """Points of both on the example's tensor.

    Returns
    -------
    pd.DataFrame
        codec, series, nominal_bits, what was measured, best, and:
        nmse_low, nmse_high, the 95 % interval of a sampled error;
        train_nmse, the error on what a codebook was trained on over the variance of all weights,
        and train_gap_shannon_bits, the gap that it would suggest; both missing where nothing was
        trained.
    """
    example = settings.example
    rows = measurements[
        (measurements.model == example.model)
        & (measurements.tensor == example.tensor)
        & measurements.codec.isin([VECTOR, *SCALAR])
    ]
    rows = rows.assign(
        train_nmse=rows.nmse * rows.train_mse / rows.mse,
        nmse_low=rows.nmse * rows.mse_low / rows.mse,
        nmse_high=rows.nmse * rows.mse_high / rows.mse,
    )
    suggested = rows.rate_bits_per_weight - rate_bits(rows.train_nmse)
    rows = rows.assign(train_gap_shannon_bits=suggested)
    kept = ["codec", "series", "nominal_bits", *_COLUMNS, "nmse_low", "nmse_high"]
    drawn = rows[[*kept, "train_nmse", "train_gap_shannon_bits"]].sort_values(
        ["codec", "series", "rate_bits_per_weight"], ignore_index=True
    )
    return with_best(drawn, [])


def vector_values(measurements: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """The nearest vector and scalar series to the empirical bound around 2, 3 and 4 bits."""
    points = vector_and_scalar(measurements, settings)
    is_vector = points.codec == VECTOR
    return {
        **nearest_values("example.vector", points[is_vector]),
        **nearest_values("example.scalar", points[~is_vector]),
    }
