"""Which of many measured points are worth having: fronts and hulls of rate against error."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def on_front(rate: ArrayLike, error: ArrayLike, tolerance_bits: float = 0.0) -> NDArray[np.bool_]:
    """Whether no other point has both a lower rate and a lower error (Pareto).

    Parameters
    ----------
    rate, error
        Of every point, float64, shape (n,); a point that lacks either is not on the front. Of
        equal points the first is.
    tolerance_bits
        Rates that differ by no more count as equal.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n,).
    """
    rates, errors = np.asarray(rate, np.float64), np.asarray(error, np.float64)
    front = np.zeros(rates.size, bool)
    lowest_rate = np.inf
    for place in np.lexsort((np.arange(rates.size), rates, errors)):
        if rates[place] < lowest_rate - tolerance_bits and not np.isnan(errors[place]):
            front[place] = True
            lowest_rate = rates[place]
    return front


def with_best(points: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Points with a column ``best``: whether on the lower envelope of their codec's curves.

    That is: on the front of the codec's points, and not above the line (of rate and log error)
    between neighbouring points of another series of the codec.

    Parameters
    ----------
    points
        Columns codec, series, rate_bits_per_weight, nmse and ``by``.
    by
        Columns that tell what is compared: one tensor, or one group of tensors.
    """
    best = pd.Series(False, index=points.index)
    for _, rows in points[points.nmse > 0].groupby([*by, "codec"]):
        front = rows[on_front(rows.rate_bits_per_weight, rows.nmse)]
        best[front.index[~_above_another(front, rows)]] = True
    return points.assign(best=best)


def _above_another(front: pd.DataFrame, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether points lie above the curve of a series that is not their own."""
    rate, log_error = front.rate_bits_per_weight.to_numpy(), np.log2(front.nmse.to_numpy())
    above = np.zeros(len(front), bool)
    for name, series in rows.groupby("series"):
        curve = series.sort_values("rate_bits_per_weight")
        known = np.log2(curve.nmse.to_numpy())
        line = np.interp(rate, curve.rate_bits_per_weight, known, left=np.inf, right=np.inf)
        above |= (front.series.to_numpy() != name) & (log_error > line)
    return above
