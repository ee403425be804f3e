"""The rate at which each curve reaches a wanted error, beside the limits there."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qatlas.bounds.empirical import RateDistortionCurve
from qatlas.bounds.gaussian import rate_bits

TARGETS_NMSE = (0.01, 0.001)
"""Wanted MSE over the variance of the weights."""

INTERPOLATED = "interpolated"
INSUFFICIENT = "insufficient coverage"


def at_target_distortions(measurements: pd.DataFrame, bounds: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table ``target_distortion``: every curve of every tensor at every target.

    A curve is one series on one tensor. Its rate is linear in log2 of the error between the
    neighbouring measured points; where none are on both sides, coverage is insufficient and
    nothing is extrapolated.
    """
    curves = {
        key: RateDistortionCurve(rows.nmse.to_numpy(), rows.empirical_bits.to_numpy())
        for key, rows in bounds.sort_values("nmse").groupby(["model", "tensor"])
    }
    found = []
    for key, points in measurements.groupby(["model", "tensor", "codec", "series"]):
        model, tensor, codec, series = map(str, key)
        limit = curves.get((model, tensor))
        rates, errors = _polyline(points)
        for target in TARGETS_NMSE:
            rate = _rate_at(rates, errors, target)
            shannon = float(rate_bits(target))
            empirical = float(limit.rate_at(target)) if limit else math.nan
            found.append(
                {
                    "model": model,
                    "tensor": tensor,
                    "codec": codec,
                    "series": series,
                    "target_nmse": target,
                    "coverage": INSUFFICIENT if math.isnan(rate) else INTERPOLATED,
                    "rate_bits_per_weight": rate,
                    "shannon_bits": shannon,
                    "empirical_bits": empirical,
                    "gap_shannon_bits": rate - shannon,
                    "gap_empirical_bits": rate - empirical,
                }
            )
    return found


def _polyline(points: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates of the points of some error, increasing, and the logarithms of the errors there."""
    known = points[points.nmse > 0].sort_values("rate_bits_per_weight")
    return known.rate_bits_per_weight.to_numpy(float), np.log2(known.nmse.to_numpy(float))


def _rate_at(rates: NDArray[np.float64], errors: NDArray[np.float64], target: float) -> float:
    """Least rate at which a polyline has the wanted error; else NaN."""
    wanted = math.log2(target)
    if rates.size and errors[0] == wanted:
        return float(rates[0])
    for left in range(rates.size - 1):
        above, below = errors[left], errors[left + 1]
        if above > wanted >= below:
            share = (above - wanted) / (above - below)
            return float(rates[left] + share * (rates[left + 1] - rates[left]))
    return math.nan
