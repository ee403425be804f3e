"""How far families stay from Shannon's bound as the tails of the weights grow heavier."""

import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.summary import Value

HEAVY_TAILED = 6.0
"""Kurtosis above which tails are called heavy: a Laplace distribution's; a Gaussian has 3."""

_ORIGIN = "rate_distortion/tables/measurements.parquet"


def with_kurtosis(rows: pd.DataFrame, rotation: pd.DataFrame) -> pd.DataFrame:
    """Rows with the column kurtosis of the table ``rotation``; constant tensors are left out."""
    known = rotation[["model", "tensor", "kurtosis"]].dropna()
    return rows.merge(known, on=["model", "tensor"])


def gaps_by_kurtosis(
    measurements: pd.DataFrame, rotation: pd.DataFrame, settings: RateDistortion
) -> pd.DataFrame:
    """Gap to Shannon of every series at the chosen nominal bits on every tensor of all models.

    Returns
    -------
    pd.DataFrame
        model, tensor, kurtosis, codec, series, gap_shannon_bits and best: whether it is the
        smallest gap of the codec on the tensor.
    """
    rows = measurements[measurements.nominal_bits == settings.sensitivity_bits]
    columns = ["model", "tensor", "codec", "series", "gap_shannon_bits"]
    rows = with_kurtosis(rows[columns].dropna(), rotation)
    rows = rows.sort_values(["codec", "kurtosis", "model", "tensor", "gap_shannon_bits", "series"])
    best = ~rows.duplicated(["model", "tensor", "codec"])
    return rows.assign(best=best).reset_index(drop=True)


def kurtosis_values(
    measurements: pd.DataFrame, rotation: pd.DataFrame, settings: RateDistortion
) -> dict[str, Value]:
    """Median gap of each family's best, and of one grid a tensor, on light and on heavy tails."""
    gaps = gaps_by_kurtosis(measurements, rotation, settings)
    lines = dict(tuple(gaps[gaps.best].groupby("codec")))
    lines |= {settings.by_tensor: gaps[gaps.series == settings.by_tensor]}
    values = {"kurtosis.heavy_tailed_above": _value(HEAVY_TAILED, "kurtosis")}
    for name, rows in lines.items():
        heavy = rows["kurtosis"] > HEAVY_TAILED
        for side, of_side in (("light_tailed", rows[~heavy]), ("heavy_tailed", rows[heavy])):
            if not of_side.empty:
                values[f"kurtosis.{name}.{side}.median_gap_shannon_bits"] = _value(
                    float(of_side.gap_shannon_bits.median()), "bits per weight"
                )
    return values


def _value(value: float, unit: str) -> Value:
    return Value(value=value, unit=unit, origin=_ORIGIN)
