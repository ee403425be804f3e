"""What the chapter found, as named values and claims."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from qatlas.config.rate_distortion import Example, RateDistortion
from qatlas.rate_distortion.allocation_summary import allocation_values
from qatlas.rate_distortion.claims import claims
from qatlas.rate_distortion.findings.front import front_values
from qatlas.rate_distortion.findings.groups import groups_values
from qatlas.rate_distortion.findings.kinds import kinds_values
from qatlas.rate_distortion.findings.kurtosis import kurtosis_values
from qatlas.rate_distortion.findings.nearest import nearest_values
from qatlas.rate_distortion.findings.rotation import rotation_values
from qatlas.rate_distortion.findings.vector import vector_values
from qatlas.rate_distortion.findings.window import window_values
from qatlas.summary import Summary, Value

_ORIGIN = "rate_distortion/tables/measurements.parquet"
_AVERAGED = {
    "rate_bits_per_weight": "bits per weight",
    "nmse": "variance of the weights",
    "gap_shannon_bits": "bits per weight",
    "gap_empirical_bits": "bits per weight",
}


def summarize(
    tables: Mapping[str, pd.DataFrame],
    settings: RateDistortion,
    sampled: Sequence[str],
    configured: Collection[str],
) -> Summary:
    """Values and claims of the chapter.

    Parameters
    ----------
    tables
        The tables measurements, operating_points, target_distortion, rotation and
        allocation_totals, by name.
    settings
        The chapter's part of the configuration.
    sampled
        Names of the models that are independent samples.
    configured
        Names of all codec grids, measured or skipped.
    """
    measurements = tables["measurements"]
    return Summary(
        chapter="rate_distortion",
        values={
            **_averages(measurements),
            **_tensor_against_channel(measurements, settings),
            **_sensitivity(measurements, settings),
            **window_values(settings),
            **nearest_values("example", _of_example(measurements, settings.example)),
            **_nearest_over_models(tables["operating_points"]),
            **_at_target_distortion(tables["target_distortion"], settings.example),
            **kinds_values(measurements, settings),
            **groups_values(measurements, settings),
            **front_values(measurements, settings),
            **kurtosis_values(measurements, tables["rotation"], settings),
            **rotation_values(measurements, tables["rotation"]),
            **vector_values(measurements, settings),
            **allocation_values(tables["allocation_totals"]),
        },
        claims=claims(tables, settings, sampled, configured),
    )


def _value(value: float | int | str, unit: str) -> Value:
    return Value(value=value, unit=unit, origin=_ORIGIN)


def _averages(rows: pd.DataFrame) -> dict[str, Value]:
    """Means over the weights of a model, for each series and nominal bits, with their range."""
    values = {}
    for (model, series, bits), points in rows.groupby(["model", "series", "nominal_bits"]):
        weights = points.weights.to_numpy()
        for column, unit in _AVERAGED.items():
            found = points[column].to_numpy(float)
            complete = not np.isnan(found).any()
            values[f"{model}.{series}.{bits:g}bit.{column}"] = Value(
                value=float(np.average(found, weights=weights)) if complete else None,
                unit=unit,
                low=float(found.min()) if complete else None,
                high=float(found.max()) if complete else None,
                origin=_ORIGIN,
            )
    return values


def _of_example(rows: pd.DataFrame, example: Example) -> pd.DataFrame:
    return rows[(rows.model == example.model) & (rows.tensor == example.tensor)]


def _tensor_against_channel(rows: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """How many times larger the example's error is with one scale for the tensor."""
    mse = _of_example(rows, settings.example).pivot_table("mse", "nominal_bits", "series")
    if not {settings.by_tensor, settings.by_channel} <= set(mse.columns):
        return {}
    ratio = (mse[settings.by_tensor] / mse[settings.by_channel]).dropna()
    return {
        f"example.{bits:g}bit.tensor_over_channel_mse": _value(value, "ratio")
        for bits, value in ratio.items()
    }


def _sensitivity(rows: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """The worst and the median tensor of the example's model at the chosen bits."""
    rows = rows[
        (rows.model == settings.example.model)
        & (rows.series == settings.by_channel)
        & (rows.nominal_bits == settings.sensitivity_bits)
    ].dropna(subset=["nmse"])
    if rows.empty:
        return {}
    worst = rows.loc[rows.nmse.idxmax()]
    name = f"sensitivity.{settings.sensitivity_bits}bit"
    return {
        f"{name}.worst_tensor": _value(worst.tensor, "tensor"),
        f"{name}.worst_nmse": _value(float(worst.nmse), _AVERAGED["nmse"]),
        f"{name}.median_nmse": _value(float(rows.nmse.median()), _AVERAGED["nmse"]),
    }


def _nearest_over_models(points: pd.DataFrame) -> dict[str, Value]:
    """For every model the series nearest to the empirical bound at each rate."""
    origin = "rate_distortion/tables/operating_points.parquet"
    values = {}
    known = points.dropna(subset=["gap_empirical_bits"])
    for (model, bits), rows in known.groupby(["model", "bits"]):
        best = rows.loc[rows.gap_empirical_bits.idxmin()]
        name = f"{model}.{bits}bit.nearest"
        values[f"{name}_to_empirical"] = Value(value=best.series, unit="series", origin=origin)
        for quantity in ("rate_bits_per_weight", "gap_empirical_bits", "gap_shannon_bits"):
            values[f"{name}_{quantity}"] = Value(
                value=float(best[quantity]), unit="bits per weight", origin=origin
            )
    return values


def _at_target_distortion(targets: pd.DataFrame, example: Example) -> dict[str, Value]:
    """What each series spends on the example to reach each error; undefined where it does not."""
    return {
        f"example.nmse_{row.target_nmse:.0e}.{row.series}.{quantity}": Value(
            value=None if pd.isna(value := getattr(row, quantity)) else float(value),
            unit="bits per weight",
            origin="rate_distortion/tables/target_distortion.parquet",
        )
        for row in _of_example(targets, example).itertuples()
        for quantity in ("rate_bits_per_weight", "gap_shannon_bits", "gap_empirical_bits")
    }
