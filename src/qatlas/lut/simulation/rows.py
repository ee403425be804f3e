"""Rows of the tables of simulations, from the errors of an ensemble."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.simulation.growth import NOTHING, Estimate, Growth
from qatlas.lut.simulation.moments import Moments

Floats = NDArray[np.float64]
Row = dict[str, Any]


def error_columns(errors: Floats) -> list[Row]:
    """What is said of errors of shape (trajectories, steps), a row a step."""
    sizes = np.abs(errors)
    median, low, high = np.quantile(sizes, [0.5, 0.05, 0.95], axis=0)
    columns = {
        "mean_error": errors.mean(axis=0),
        "mean_absolute_error": sizes.mean(axis=0),
        "median_absolute_error": median,
        "low_absolute_error": low,
        "high_absolute_error": high,
        "rms_error": np.sqrt(np.mean(errors**2, axis=0)),
    }
    return [
        {name: float(values[place]) for name, values in columns.items()}
        for place in range(errors.shape[1])
    ]


def result_columns(values: Floats, reference: Floats, exact: Floats, limit: float) -> Row:
    """What is said of final results, each of shape (trajectories,), besides their errors."""
    sizes, references = np.abs(values - reference), np.abs(reference)
    mean = float(references.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 / 0: nothing is wrong.
        relative = np.where(sizes == 0, 0.0, sizes / references)
        median = float(np.median(relative))
    return {
        "mean_absolute_reference": mean,
        "relative_error": float(sizes.mean()) / mean if mean else None,
        "median_relative_error": median if np.isfinite(median) else None,
        "error_over_range": float(sizes.mean()) / limit,
        "exact_error": float(np.abs(values - exact).mean()),
        "reference_error": float(np.abs(reference - exact).mean()),
    }


def growth_columns(
    grown: Growth, ratio: Estimate | None, one: Moments | None, nearest: Moments | None
) -> Row:
    """What is said of how errors grow.

    Parameters
    ----------
    grown
        As measured.
    ratio
        Final deviation over that of nearest look-up; None where that was not simulated.
    one, nearest
        Moments of one product's error, and of nearest look-up in the same table; None of chains,
        whose operands are not uniform.
    """
    row: Row = {
        "bias": None if one is None else one.bias,
        "deviation": None if one is None else one.deviation,
        "predicted_crossover": None if one is None else _finite(one.crossover),
        "predicted_ratio": None if one is None or nearest is None else one.ratio_to(nearest),
    }
    for name, found in (
        ("crossover", grown.crossover),
        ("ratio", ratio or NOTHING),
        ("deviation_slope", grown.deviation_slope),
        ("bias_slope", grown.bias_slope),
        ("final_deviation", grown.final_deviation),
    ):
        row |= {
            name: _finite(found.value),
            f"{name}_low": _finite(found.low),
            f"{name}_high": _finite(found.high),
        }
    return row


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
