"""Tables as compact JSON, column by column."""

from typing import Any

import numpy as np
import pandas as pd

_DIGITS = 6


def encode(rows: pd.DataFrame) -> dict[str, Any]:
    """Columns of a table as JSON values.

    Numbers are written to six digits, as in the tables for reading; what is missing or infinite is
    null. Text is a list of the values that occur, sorted, and for every row the place of its own.

    Returns
    -------
    dict
        By the name of a column, ``{"numbers": [...]}``, ``{"truths": [0 or 1, ...]}`` or
        ``{"values": [...], "places": [...]}``.
    """
    return {str(name): _encode(rows[name]) for name in rows.columns}


def _encode(column: "pd.Series[Any]") -> dict[str, Any]:
    if pd.api.types.is_bool_dtype(column):
        return {"truths": column.astype(int).tolist()}
    if pd.api.types.is_numeric_dtype(column):
        return {
            "numbers": [_number(value) for value in column.to_numpy(np.float64, na_value=np.nan)]
        }
    places, values = pd.factorize(column, sort=True)
    return {"values": [str(value) for value in values], "places": places.tolist()}


def _number(value: float) -> float | int | None:
    """A number as short as JSON allows: whole ones without a point."""
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short
