"""Where in its table every encoding errs, small to large."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import draw_by_size, encodings_in, shown_sizes
from qatlas.summary import Summary

_LEAST, _LARGEST = 1e-4, 1.0


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Mean absolute error of each cell, as a share of the range."""
    cells = encodings_in(tables["map_cells"], shown_sizes(settings.sizes))
    shares = cells.assign(error_over_range=cells.absolute_error / cells.range)
    return shares[["table", "size", "row", "column", "error_over_range"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A column an encoding, a row a size."""
    shown = drawn.assign(error_over_range=drawn.error_over_range.clip(lower=_LEAST))
    return draw_by_size(
        shown, "error_over_range", LogNorm(_LEAST, _LARGEST), "viridis", "|error| / R"
    )


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    slope = summary.written("maps.signed_ext.slope", ".2f")
    return (
        "Where tables err, as means of the magnitude of T - ab over cells, at least 1e-4 of the "
        "range. The corners are products beyond the range, which saturate at any size. Elsewhere "
        f"errors of even codes shrink with the size (slope of log2 MED against bits: {slope}); "
        "logarithmic and asinh codes err less where products are small."
    )
