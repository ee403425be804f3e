"""What the chapter found, as named values and claims."""

import math

import pandas as pd

from qatlas.summary import Claim, Summary, Value, claim

_MANIFESTS = "weights/tables/manifests.parquet"
_STATISTICS = "weights/tables/statistics.parquet"
_GAUSSIAN_KURTOSIS = 3


def summarize(manifests: pd.DataFrame, statistics: pd.DataFrame) -> Summary:
    """Values and claims of the chapter, from the tables of those names."""
    values: dict[str, Value] = {}
    for model, rows in manifests.groupby("model"):
        values |= _of_manifest(str(model), rows)
    for model, rows in statistics.groupby("model"):
        values |= _of_statistics(str(model), rows)
    return Summary(
        chapter="weights",
        values=values | _heaviest_tail(statistics),
        claims={"trained_weights_have_heavier_tails_than_gaussian": _heavy_tails(statistics)},
    )


def _of_manifest(model: str, rows: pd.DataFrame) -> dict[str, Value]:
    counted = rows[rows.tied_to.isna()]
    return {
        f"{model}.parameters": Value(
            value=int(counted.weights.sum()), unit="weights", origin=_MANIFESTS
        ),
        f"{model}.tensors": Value(value=len(counted), unit="tensors", origin=_MANIFESTS),
    }


def _of_statistics(model: str, rows: pd.DataFrame) -> dict[str, Value]:
    values = {
        f"{model}.quantized_weights": Value(
            value=int(rows.weights.sum()), unit="weights", origin=_STATISTICS
        ),
        f"{model}.quantized_tensors": Value(value=len(rows), unit="tensors", origin=_STATISTICS),
    }
    for column, unit in (
        ("kurtosis", "sigma^4"),
        ("max_over_sigma", "sigma"),
        ("student_t_nu", "degrees of freedom"),
    ):
        known = rows[column].dropna()
        values[f"{model}.median_{column}"] = Value(
            value=None if known.empty else float(known.median()),
            unit=unit,
            low=None if known.empty else float(known.min()),
            high=None if known.empty else float(known.max()),
            origin=_STATISTICS,
        )
    return values


def _heaviest_tail(rows: pd.DataFrame) -> dict[str, Value]:
    """The tensor with the highest kurtosis of all."""
    known = rows.dropna(subset=["kurtosis"])
    if known.empty:
        return {}
    worst = known.loc[known["kurtosis"].idxmax()]
    found = {
        "model": (worst.model, "model"),
        "tensor": (worst.tensor, "tensor"),
        "kurtosis": (float(worst["kurtosis"]), "sigma^4"),
        "max_over_sigma": (float(worst.max_over_sigma), "sigma"),
    }
    return {
        f"heaviest_tail.{name}": Value(value=value, unit=unit, origin=_STATISTICS)
        for name, (value, unit) in found.items()
    }


def _heavy_tails(rows: pd.DataFrame) -> Claim:
    """Whether every matrix inside a stack of layers has a kurtosis above the Gaussian's."""
    trained = rows.dropna(subset=["layer", "kurtosis"])
    share = math.nan if trained.empty else float((trained["kurtosis"] > _GAUSSIAN_KURTOSIS).mean())
    return claim(
        "Every matrix of a trained model's layers has a kurtosis above the Gaussian's 3 "
        "(share of those that have).",
        value=share,
        holds=share == 1,
        threshold=1,
        origin=_STATISTICS,
    )
