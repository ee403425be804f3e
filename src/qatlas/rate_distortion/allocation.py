"""A codec for every tensor of a model, within a budget of bits for the whole."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qatlas.config.rate_distortion import Allocation, Weighting
from qatlas.errors import AtlasError
from qatlas.rate_distortion.knapsack import Options, solve

_CHOICE = ["codec", "series", "parameters"]
_STEPS = 30
"""Steps of branch and bound: enough for 0.1 dB on a model of 40 tensors, at 0.05 s a plan."""


def variances(points: pd.DataFrame) -> "pd.Series[float]":
    """Variance of every tensor's weights, by tensor, in the order of their names.

    Zero where no point has an error that is known relative to it: the weights are all equal, or
    nothing is ever lost.
    """
    known = points[points.nmse > 0].sort_values(["tensor", *_CHOICE])
    ratio = (known.mse / known.nmse).groupby(known.tensor).first()
    return ratio.reindex(sorted(points.tensor.unique()), fill_value=0.0)


def _plain(variance: "pd.Series[float]") -> "pd.Series[float]":
    return pd.Series(1.0, index=variance.index)


def _normalised(variance: "pd.Series[float]") -> "pd.Series[float]":
    # Weights that are all equal have no relative error, so none is counted.
    return (1 / variance.where(variance > 0)).fillna(0.0)


WEIGHTINGS: dict[Weighting, Callable[["pd.Series[float]"], "pd.Series[float]"]] = {
    "plain": _plain,
    "normalised": _normalised,
}
"""Sensitivities of the tensors, by tensor, from their variances."""


@dataclass(frozen=True)
class Candidates:
    """The measured points of one model, with what each takes and how much it harms.

    Attributes
    ----------
    points
        Rows of ``measurements`` of one model, those of a tensor together, with the columns
        ``sensitivity``, ``bits`` (int64, of the whole tensor) and ``distortion`` (sensitivity times
        squared error of the whole tensor).
    tensors
        The rows of each tensor, shape (points of the tensor,), int64, and their options.
    weights
        Number of weights of all tensors.
    """

    points: pd.DataFrame
    tensors: Sequence[tuple[np.ndarray[Any, np.dtype[np.int64]], Options]]
    weights: int


@dataclass(frozen=True)
class Plans:
    """What may be done with one budget.

    Attributes
    ----------
    allocated
        The point chosen for each tensor.
    uniform
        The points of the one codec for all tensors that has least distortion within the budget;
        none if there is none.
    lower_bound
        No plan within the budget has less distortion.
    """

    allocated: pd.DataFrame
    uniform: pd.DataFrame | None
    lower_bound: float


def candidates(points: pd.DataFrame, sensitivity: Mapping[str, float]) -> Candidates:
    """Prepare the points of one model for planning.

    Parameters
    ----------
    points
        Rows of ``measurements`` of one model.
    sensitivity
        What a squared error of each tensor counts, by tensor: 1 for all gives the plain sum.

    Raises
    ------
    AtlasError
        If a tensor's sensitivity is missing, negative or not finite.
    """
    rows = points.sort_values(["tensor", *_CHOICE], ignore_index=True)
    for tensor in rows.tensor.unique():
        found = sensitivity.get(tensor)
        if found is None or not (0 <= found < math.inf):
            raise AtlasError(
                f"sensitivity of tensor {tensor}: found {found}; give a finite number from 0"
            )
    counted = rows.tensor.map(dict(sensitivity)).astype(float)
    rows = rows.assign(
        sensitivity=counted,
        bits=np.rint(rows.rate_bits_per_weight * rows.weights).astype("int64"),
        distortion=counted * rows.weights * rows.mse,
    )
    bits, distortion = rows.bits.to_numpy(), rows.distortion.to_numpy()
    places = rows.groupby("tensor").indices.values()
    return Candidates(
        points=rows,
        tensors=[(place, Options(bits[place], distortion[place])) for place in places],
        weights=int(rows.drop_duplicates("tensor").weights.sum()),
    )


def lowest_rate(found: Candidates) -> float:
    """Bits per weight of the cheapest plan."""
    return sum(int(options.costs.min()) for _, options in found.tensors) / found.weights


def plans(found: Candidates, bits_per_weight: float) -> Plans:
    """The best plans that a search finds within a budget, in bits per weight of the whole model.

    Raises
    ------
    AtlasError
        If no plan keeps the budget.
    """
    budget = math.floor(bits_per_weight * found.weights)
    solution = solve([options for _, options in found.tensors], budget, _STEPS)
    chosen = [
        place[choice] for (place, _), choice in zip(found.tensors, solution.choice, strict=True)
    ]
    return Plans(
        allocated=found.points.loc[chosen],
        uniform=_uniform(found, budget),
        lower_bound=solution.lower_bound,
    )


def _uniform(found: Candidates, budget: int) -> pd.DataFrame | None:
    """The best codec for all tensors; one that was not measured on all of them is none."""
    by_codec = found.points.groupby(_CHOICE)
    totals = by_codec.agg(
        tensors=("tensor", "size"), bits=("bits", "sum"), distortion=("distortion", math.fsum)
    )
    fitting = totals[(totals.tensors == len(found.tensors)) & (totals.bits <= budget)]
    if fitting.empty:
        return None
    best = fitting.sort_values(["distortion", "bits"], kind="stable").index[0]
    return by_codec.get_group(best)


@dataclass(frozen=True)
class Allocated:
    """Rows of the tables ``allocations`` and ``allocation_totals``."""

    allocations: list[dict[str, Any]]
    totals: list[dict[str, Any]]


def allocate(measurements: pd.DataFrame, models: Sequence[str], settings: Allocation) -> Allocated:
    """Plan every model for every weighting and budget of the configuration.

    Raises
    ------
    AtlasError
        If a budget is too small for a model, or a tensor was measured with none of the series.
    """
    allocations: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    for model in models:
        points = _points(measurements, model, settings)
        variance = variances(points)
        for weighting in settings.weightings:
            sensitivity = WEIGHTINGS[weighting](variance)
            found = candidates(points, sensitivity.to_dict())
            _check_budgets(found, model, settings.budgets)
            for budget in settings.budgets:
                made = plans(found, budget)
                key = {
                    "model": model,
                    "budget_bits_per_weight": budget,
                    "weighting": weighting,
                }
                allocations += [key | row for row in _rows(made.allocated)]
                totals += _totals(found, made, key, variance)
    return Allocated(allocations, totals)


def _points(measurements: pd.DataFrame, model: str, settings: Allocation) -> pd.DataFrame:
    points = measurements[measurements.model == model]
    if not settings.series:
        return points
    chosen = points[points.series.isin(settings.series)]
    if missing := sorted(set(points.tensor) - set(chosen.tensor)):
        raise AtlasError(
            f"rate_distortion.allocation.series: {missing[0]} of {model} was measured with none of "
            f"{', '.join(settings.series)}; name another series, or leave the key out"
        )
    return chosen


def _check_budgets(found: Candidates, model: str, budgets: Sequence[float]) -> None:
    lowest = lowest_rate(found)
    if budgets[0] < lowest:
        # Rounded up, so that the number given is itself allowed.
        allowed = math.ceil(lowest * 1e4) / 1e4
        raise AtlasError(
            f"rate_distortion.allocation.budgets: found {budgets[0]:g} bits per weight, but the "
            f"cheapest plan of {model} takes {allowed:.4f}; remove budgets below that, or add a "
            "codec of lower rate"
        )


def _rows(chosen: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = ["tensor", "kind", "layer", *_CHOICE, "weights", "rate_bits_per_weight", "mse"]
    for row in chosen[[*columns, "sensitivity"]].to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def _totals(
    found: Candidates, made: Plans, key: Mapping[str, Any], variance: "pd.Series[float]"
) -> Iterator[dict[str, Any]]:
    """Rows of ``allocation_totals`` for one budget."""
    kept = made.allocated
    without_a_bit = math.fsum(kept.sensitivity * kept.weights * kept.tensor.map(variance))
    drawn_up = [("allocated", made.allocated, dict.fromkeys(_CHOICE))]
    if made.uniform is not None:
        drawn_up.append(("uniform", made.uniform, made.uniform[_CHOICE].iloc[0].to_dict()))
    for plan, chosen, codec in drawn_up:
        distortion = math.fsum(chosen.distortion)
        yield {
            **key,
            "plan": plan,
            **codec,
            "weights": found.weights,
            "rate_bits_per_weight": int(chosen.bits.sum()) / found.weights,
            "distortion": distortion,
            "distortion_lower_bound": made.lower_bound,
            "nmse": distortion / without_a_bit if without_a_bit > 0 else None,
        }
