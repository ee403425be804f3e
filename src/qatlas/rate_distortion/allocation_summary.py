"""What planning a model tensor by tensor gains over one codec for all, as values and claims."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from qatlas.summary import Claim, Value, claim

_ORIGIN = "rate_distortion/tables/allocation_totals.parquet"
_KEY = ["model", "weighting", "budget_bits_per_weight"]


def allocation_values(totals: pd.DataFrame) -> dict[str, Value]:
    """Rates, errors and gain of every model, weighting and budget, and the range of the gains.

    A gain is missing where no one codec for all tensors keeps the budget, or where nothing is lost.
    """
    values = {}
    gains: dict[str, list[float | None]] = {}
    for (model, weighting, budget), rows in totals.groupby(_KEY):
        name = f"allocation.{model}.{weighting}.{budget:g}bit"
        plans = rows.set_index("plan")
        for plan, row in plans.iterrows():
            values[f"{name}.{plan}_rate"] = _value(row.rate_bits_per_weight, "bits per weight")
            values[f"{name}.{plan}_nmse"] = _value(row.nmse, "variance of the weights")
        if "uniform" in plans.index:
            values[f"{name}.uniform_series"] = _value(plans.series["uniform"], "series")
        gain = _decibels(plans.distortion.get("uniform"), plans.distortion["allocated"])
        values[f"{name}.gain_db"] = _value(gain, "dB")
        to_bound = _decibels(plans.distortion["allocated"], rows.distortion_lower_bound.iloc[0])
        values[f"{name}.above_lower_bound_db"] = _value(to_bound, "dB")
        gains.setdefault(f"allocation.{model}.{weighting}", []).append(gain)
    for name, found in gains.items():
        known = [gain for gain in found if gain is not None]
        values[f"{name}.smallest_gain_db"] = _value(min(known, default=None), "dB")
        values[f"{name}.largest_gain_db"] = _value(max(known, default=None), "dB")
    return values


def allocation_claims(totals: pd.DataFrame) -> dict[str, Claim]:
    """Planning tensor by tensor does no harm."""
    worst = max(_ratios_to_uniform(totals), default=math.nan)
    return {
        "allocation.no_more_error_than_uniform": claim(
            "A codec for every tensor has no more error than the best one codec for all tensors, "
            "at every budget (largest ratio of the two errors).",
            value=worst,
            holds=worst <= 1,
            threshold=1,
            origin=_ORIGIN,
        )
    }


def _ratios_to_uniform(totals: pd.DataFrame) -> Iterator[float]:
    for _, rows in totals.groupby(_KEY):
        distortion = rows.set_index("plan").distortion
        if distortion.get("uniform", 0) > 0:
            yield float(distortion["allocated"] / distortion["uniform"])


def _decibels(more: float | None, less: float) -> float | None:
    if more is None or not (more > 0 and less > 0):
        return None
    return 10 * math.log10(more / less)


def _value(value: Any, unit: str) -> Value:
    known = value is not None and not pd.isna(value)
    return Value(value=value if known else None, unit=unit, origin=_ORIGIN)
