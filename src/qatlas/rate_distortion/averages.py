"""Curves and limits averaged over tensors, each weighted by its number of weights."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MEASURED = ("rate_bits_per_weight", "nmse", "gap_shannon_bits", "gap_empirical_bits")
"""Columns that figures average."""

LIMITS = ("shannon_bits", "empirical_bits", "shannon_lower_bits")
_STEP_BITS = 0.125


def mean_points(
    measurements: pd.DataFrame, by: Sequence[str], columns: Sequence[str] = MEASURED
) -> pd.DataFrame:
    """Every point of every series, averaged over the tensors of a group.

    Parameters
    ----------
    measurements
        Rows of ``measurements``; tensors without variance are left out.
    by
        Columns that tell the groups.
    columns
        What is averaged.

    Returns
    -------
    pd.DataFrame
        Columns ``by``, codec, series, nominal_bits, the averaged ones, and tensors (how many); a
        mean is missing where one of the tensors has no value.
    """
    rows = measurements.dropna(subset=["nmse"])
    key = [*by, "codec", "series", "nominal_bits"]
    # Sums depend on the order of their terms, rows do not come in a fixed one.
    rows = rows.sort_values([*key, "model", "tensor"], ignore_index=True)
    share = rows.weights / rows.groupby(key).weights.transform("sum")
    parts = rows[key].assign(**{column: rows[column] * share for column in columns}, tensors=1)
    sums = parts.groupby(key)[list(columns)].agg(lambda column: column.sum(skipna=False))
    return sums.assign(tensors=parts.groupby(key).tensors.sum()).reset_index()


def mean_limits(bounds: pd.DataFrame, weights: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Limits averaged over the tensors of a group: the mean error with all at the same rate.

    Parameters
    ----------
    bounds
        Rows of ``bounds``.
    weights
        Columns model, tensor, weights and ``by``: one row a tensor.
    by
        Columns that tell the groups.

    Returns
    -------
    pd.DataFrame
        Columns ``by``, series (a column of ``LIMITS``), rate_bits_per_weight and nmse, as far down
        as the limits of all tensors of the group are known.
    """
    rows = []
    curves = dict(tuple(bounds.sort_values("nmse").groupby(["model", "tensor"])))
    for group, tensors in weights.sort_values(["model", "tensor"]).groupby(list(by)):
        known = [t for t in tensors.itertuples() if (t.model, t.tensor) in curves]
        if not known:
            continue
        share = np.array([t.weights for t in known], float) / sum(t.weights for t in known)
        for limit in LIMITS:
            of_tensors = [_error_at_rates(curves[t.model, t.tensor], limit) for t in known]
            deepest = min(map(len, of_tensors))
            nmse = sum(s * errors[:deepest] for s, errors in zip(share, of_tensors, strict=True))
            rows.append(
                pd.DataFrame(dict(zip(by, group, strict=True)), index=range(deepest)).assign(
                    series=limit,
                    rate_bits_per_weight=_STEP_BITS * np.arange(deepest),
                    nmse=nmse,
                )
            )
    columns = [*by, "series", "rate_bits_per_weight", "nmse"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def _error_at_rates(curve: pd.DataFrame, limit: str) -> NDArray[np.float64]:
    """Error at rates an eighth of a bit apart, linear in log error, down to the last known."""
    known = curve[(curve.nmse > 0) & curve[limit].notna()].sort_values("nmse")
    # Of the points that need no bits, the least error.
    bits, least = np.unique(known[limit].to_numpy(), return_index=True)
    rates = np.arange(0, bits.max() + 1e-9, _STEP_BITS)
    log_error = np.interp(rates, bits, np.log2(known.nmse.to_numpy()[least]))
    return np.asarray(np.exp2(log_error))
