"""Every codec at 2, 3 and 4 bits per weight, over all tensors of a model."""

import math
from typing import Any

import numpy as np
import pandas as pd

BITS = (2, 3, 4)
"""Rates to compare at, in bits per weight."""

WINDOW_BITS = 0.5
"""How far the true rate of a point may be from the rate it is listed at."""

_GAPS = ("gap_shannon_bits", "gap_empirical_bits", "gap_channel_variance_bits")


def at_rates(measurements: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the table ``operating_points``: the point of each series nearest to each rate.

    A point is a series with one set of parameters on all tensors of a model: its rate is all
    stored bits over all weights, its error all squared error over all variance, and its gaps are
    means over the weights of the gaps of the tensors, each to its own limit. Series that have no
    point within ``WINDOW_BITS`` of a rate, or not on all tensors, are not listed there.
    """
    found = []
    for model, rows in measurements.groupby("model"):
        points = _points(rows)
        for bits in BITS:
            ranked = points.assign(off=(points.rate_bits_per_weight - bits).abs())
            near = ranked[ranked.off <= WINDOW_BITS]
            nearest = near.sort_values(["off", "parameters"]).drop_duplicates("series")
            listed = nearest.drop(columns="off").assign(model=model, bits=bits)
            found += listed.sort_values(["gap_shannon_bits", "series"]).to_dict("records")
    return found


def _points(rows: pd.DataFrame) -> pd.DataFrame:
    """Points over all tensors of a model, one a row."""
    variance = (rows.mse / rows.nmse).groupby(rows.tensor).max()
    weights = rows.groupby("tensor").weights.first()
    power = float((variance * weights).sum())
    keys = ["codec", "series", "parameters"]
    points = [
        dict(zip(keys, key, strict=True)) | _over_tensors(point, power)
        for key, point in rows.groupby(keys)
        if len(point) == len(weights)
    ]
    names = [*keys, "rate_bits_per_weight", "nmse", "sqnr_db", *_GAPS]
    return pd.DataFrame(points, columns=names)


def _over_tensors(point: pd.DataFrame, power: float) -> dict[str, float]:
    weights = point.weights
    error = float((point.mse * weights).sum())
    signal = float((point.mse * 10 ** (point.sqnr_db / 10) * weights).sum())
    lossless = error == 0
    return {
        "rate_bits_per_weight": float(np.average(point.rate_bits_per_weight, weights=weights)),
        "nmse": error / power if power else math.nan,
        "sqnr_db": math.inf if lossless else 10 * math.log10(signal / error),
        **{gap: float(np.average(point[gap], weights=weights)) for gap in _GAPS},
    }
