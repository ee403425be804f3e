"""Relative errors of multipliers of eight bits and of the user's tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import draw_bar, draw_cells, label, square_panels
from qatlas.plotting import FULL_WIDTH, blank_figure
from qatlas.summary import Summary

_IN_A_ROW = 4
_LARGEST = 0.15


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Mean error over mean magnitude of the true product, by cell."""
    cells = tables["map_cells"]
    cells = cells[cells.kind != "encoding"]
    return cells[["table", "size", "row", "column", "relative_error"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a table; operands rise from the lower left."""
    names = list(dict.fromkeys(drawn.table))
    if not names:
        return blank_figure(FULL_WIDTH, "no multipliers, no tables of the user")
    columns = min(len(names), _IN_A_ROW)
    rows = -(-len(names) // columns)
    figure, panels = square_panels(rows, columns)
    norm = TwoSlopeNorm(0, -_LARGEST, _LARGEST)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    for name, panel in zip(names, panels, strict=False):
        cells = drawn[drawn.table == name]
        clipped = cells.assign(relative_error=np.clip(cells.relative_error, -_LARGEST, _LARGEST))
        mesh = draw_cells(panel, clipped, "relative_error", norm, "PuOr")
        panel.set_title(label(name))
    draw_bar(figure, panels, mesh, "error / |ab|")
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    text = (
        "Relative error of products of eight-bit multipliers and of given tables, means over "
        "blocks; colours end at 15 %, operands rise from the lower left. Products too large for a "
        "format saturate, in the corners; those too small, in the middle, become zero."
    )
    if "mitchell8" not in settings.multipliers:
        return text
    mred = summary.written("maps.mitchell8.256.uniform.mred", ".2%")
    return f"{text} Mitchell's product is never above the true one; on average it is {mred} below."
