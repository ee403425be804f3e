"""What the chapter found, as named values and claims."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from qatlas.config import Example, RateDistortion
from qatlas.rate_distortion.findings.front import front_values
from qatlas.rate_distortion.findings.groups import groups_values
from qatlas.rate_distortion.findings.kinds import kinds_values
from qatlas.rate_distortion.findings.kurtosis import kurtosis_values
from qatlas.rate_distortion.findings.nearest import nearest_of_model, nearest_values
from qatlas.rate_distortion.findings.rotation import rotation_values
from qatlas.rate_distortion.findings.vector import vector_values
from qatlas.rate_distortion.findings.window import window_values
from qatlas.summary import Claim, Summary, Value, claim

_ORIGIN = "rate_distortion/tables/measurements.parquet"
_AVERAGED = {
    "rate_bits_per_weight": "bits per weight",
    "nmse": "variance of the weights",
    "gap_shannon_bits": "bits per weight",
    "gap_empirical_bits": "bits per weight",
}


def summarize(
    measurements: pd.DataFrame,
    settings: RateDistortion,
    sampled: Sequence[str],
    statistics: pd.DataFrame,
) -> Summary:
    """Values and claims of the chapter.

    Parameters
    ----------
    measurements
        The table of that name.
    settings
        The chapter's part of the configuration.
    sampled
        Names of the models that are independent samples.
    statistics
        The table of that name of the chapter weights.
    """
    return Summary(
        chapter="rate_distortion",
        values={
            **_averages(measurements),
            **_tensor_against_channel(measurements, settings),
            **_sensitivity(measurements, settings),
            **window_values(settings),
            **nearest_values("example", _of_example(measurements, settings.example)),
            **nearest_of_model(measurements, settings.example.model),
            **kinds_values(measurements, settings),
            **groups_values(measurements, settings),
            **front_values(measurements, settings),
            **kurtosis_values(measurements, statistics, settings),
            **rotation_values(measurements, statistics),
            **vector_values(measurements, settings),
        },
        claims=_claims(measurements, settings, sampled),
    )


def _value(value: float | int | str, unit: str) -> Value:
    return Value(value=value, unit=unit, origin=_ORIGIN)


def _averages(rows: pd.DataFrame) -> dict[str, Value]:
    """Means over the weights of a model, for each series and nominal bits, with their range."""
    values = {}
    for (model, series, bits), points in rows.groupby(["model", "series", "nominal_bits"]):
        for column, unit in _AVERAGED.items():
            known = points.dropna(subset=[column])
            complete = len(known) == len(points)
            values[f"{model}.{series}.{bits:g}bit.{column}"] = Value(
                value=float(np.average(known[column], weights=known.weights)) if complete else None,
                unit=unit,
                low=float(known[column].min()) if complete else None,
                high=float(known[column].max()) if complete else None,
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


def _claims(
    rows: pd.DataFrame, settings: RateDistortion, sampled: Sequence[str]
) -> dict[str, Claim]:
    smallest_gap = rows[rows.model.isin(sampled)].gap_empirical_bits.min()
    optimal = _largest_ratio_to_uniform(rows)
    bits = settings.sensitivity_bits
    ratio = _tensor_against_channel(rows, settings).get(
        f"example.{bits}bit.tensor_over_channel_mse"
    )
    gain = float(ratio.value) if ratio and ratio.value is not None else math.nan
    return {
        "sources.nothing_below_the_empirical_bound": claim(
            "On independent samples no codec lies below the empirical rate-distortion function.",
            value=smallest_gap,
            holds=bool(smallest_gap >= 0),
            threshold=0,
            origin=_ORIGIN,
        ),
        "lloyd_max.least_error_with_one_grid_a_tensor": claim(
            "At equal bits the optimal codebook has no more error than any uniform grid with one "
            "scale a tensor, on every tensor (largest ratio of the two errors).",
            value=optimal,
            holds=bool(optimal <= 1),
            threshold=1,
            origin=_ORIGIN,
        ),
        f"example.channel_beats_tensor_at_{bits}bit": claim(
            f"One scale a channel has less error than one a tensor at {bits} bits on the example "
            "(ratio of the two errors).",
            value=gain,
            holds=gain > 1,
            threshold=1,
            origin=_ORIGIN,
        ),
    }


def _largest_ratio_to_uniform(rows: pd.DataFrame) -> float:
    """Largest error of the optimal codebook over the best uniform grid with one scale."""
    key = ["model", "tensor", "nominal_bits"]
    granularity = rows.parameters.map(lambda parameters: json.loads(parameters).get("granularity"))
    uniform = rows[(rows.codec == "uniform") & (granularity == "tensor")].groupby(key).mse.min()
    optimal = rows[rows.codec == "lloyd_max"].set_index(key).mse
    return float((optimal / uniform).max())
