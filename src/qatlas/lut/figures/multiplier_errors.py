"""Relative errors of multipliers of eight bits and of the user's tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import draw_cells, label
from qatlas.plotting import FULL_WIDTH, blank_figure, new_figure
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
    width = FULL_WIDTH * (columns + 0.6) / (_IN_A_ROW + 0.6)
    figure, panels = new_figure(width, 0.3 + 1.5 * rows, rows, columns)
    norm = TwoSlopeNorm(0, -_LARGEST, _LARGEST)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    for name, panel in zip(names, panels, strict=False):
        cells = drawn[drawn.table == name]
        clipped = cells.assign(relative_error=np.clip(cells.relative_error, -_LARGEST, _LARGEST))
        mesh = draw_cells(panel, clipped, "relative_error", norm, "PuOr")
        panel.set_title(label(name))
    bar = figure.colorbar(mesh, ax=panels, label="error / |ab|", extend="both", aspect=15)
    bar.set_ticks([-0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15])
    bar.outline.set_visible(False)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    text = (
        "Relative error of products of eight-bit multipliers and of given tables, means over "
        "blocks; colours end at 15 %, operands rise from the lower left."
    )
    if "mitchell8" not in settings.multipliers:
        return text
    mred = summary.written("maps.mitchell8.256.uniform.mred", ".2%")
    return f"{text} Mitchell's product is never above the true one; on average it is {mred} below."
