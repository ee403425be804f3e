"""How tables look in the figures of the chapter: one style an encoding, heat maps side by side."""

from collections.abc import Collection, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from qatlas.lut.encodings import ENCODINGS
from qatlas.plotting import COLUMN_WIDTH, FULL_WIDTH, named_colours, new_figure, readable

_MOST_SIZES = 4
_MOST_IN_A_COLUMN = 2
_LARGEST_SIDE = 1.4
ENCODING_COLOURS = named_colours(ENCODINGS)
_MARKERS = dict(zip(ENCODINGS, "osD^v", strict=True))
_POINTS = {"float8_e4m3": "P", "float8_e5m2": "X", "lns8": "*", "mitchell8": "h"}
_MARKERS_OF_USERS = "pd<>8"
_LABELS = {
    "signed_ext": "even",
    "signed_log": "logarithmic",
    "signed_asinh": "asinh",
    "signed": "even, R = 1",
    "unsigned": "unsigned",
    "float8_e4m3": "float8 E4M3",
    "float8_e5m2": "float8 E5M2",
    "lns8": "logarithmic numbers",
    "mitchell8": "Mitchell",
}


def label(table: str) -> str:
    """Name of an encoding, a multiplier or a user's table for a reader."""
    return _LABELS.get(table, readable(table))


def encoding_style(encoding: str) -> dict[str, Any]:
    """Line style of an encoding: the same colour and marker in all figures."""
    return {
        "color": ENCODING_COLOURS[encoding],
        "marker": _MARKERS[encoding],
        "label": label(encoding),
    }


def point_styles(tables: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Style of each multiplier, always the same, and of the user's tables by their order."""
    others = [name for name in tables if name not in _POINTS]
    markers = _POINTS | dict(zip(others, cycle(_MARKERS_OF_USERS), strict=False))
    hollow = {
        "linestyle": "none",
        "markersize": 6,
        "markerfacecolor": "white",
        "markeredgecolor": "black",
        "markeredgewidth": 0.8,
    }
    return {name: hollow | {"marker": markers[name], "label": label(name)} for name in tables}


def shown_sizes(sizes: Collection[int]) -> list[int]:
    """At most four of the sizes, evenly spaced, the least and the largest among them."""
    known = sorted(set(sizes))
    places = np.linspace(0, len(known) - 1, min(len(known), _MOST_SIZES)).round().astype(int)
    return [known[place] for place in places]


def draw_cells(
    panel: Axes, cells: pd.DataFrame, column: str, norm: Normalize, cmap: str
) -> QuadMesh:
    """Draw one quantity of the cells of a table as rectangles, the least operands at the origin."""
    grid = cells.pivot(index="row", columns="column", values=column).to_numpy(np.float64)
    # Edges of the faces' own colour leave no gaps between them.
    drawn = panel.pcolormesh(
        np.ma.masked_invalid(grid), norm=norm, cmap=cmap, edgecolors="face", linewidth=0.1
    )
    panel.set(xticks=[], yticks=[], aspect="equal")
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    return drawn


def draw_by_size(
    drawn: pd.DataFrame, column: str, norm: Normalize, cmap: str, meaning: str
) -> Figure:
    """Tables of encodings side by side: a column an encoding, a row a size.

    Parameters
    ----------
    drawn
        Cells: table, size, row, column and the quantity.
    column
        Name of the quantity.
    meaning
        What stands beside the bar of colours.
    """
    encodings = list(dict.fromkeys(drawn.table))
    sizes = sorted(drawn["size"].unique())
    figure, panels = square_panels(len(sizes), len(encodings))
    places = [(size, encoding) for size in sizes for encoding in encodings]
    for (size, encoding), panel in zip(places, panels, strict=True):
        cells = drawn[(drawn.table == encoding) & (drawn["size"] == size)]
        mesh = draw_cells(panel, cells, column, norm, cmap)
        if size == sizes[0]:
            panel.set_title(label(encoding))
        if encoding == encodings[0]:
            panel.set_ylabel(f"S = {size}")
    draw_bar(figure, panels, mesh, meaning)
    return figure


def square_panels(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    """Figure for square panels and a bar of colours beside them, and the panels row by row."""
    width = COLUMN_WIDTH if columns <= _MOST_IN_A_COLUMN else FULL_WIDTH
    side = min(_LARGEST_SIDE, (width - 1.0) / columns)
    return new_figure(width, 0.4 + rows * (side + 0.1), rows, columns)


def draw_bar(figure: Figure, panels: Sequence[Axes], mesh: QuadMesh, meaning: str) -> Colorbar:
    """Draw the bar of colours, as vectors: matplotlib would make an image of it."""
    bar = figure.colorbar(mesh, ax=panels, label=meaning, aspect=10 * len(panels) ** 0.5)
    if bar.solids:
        bar.solids.set_rasterized(False)
    bar.outline.set_visible(False)
    return bar


def encodings_in(cells: pd.DataFrame, sizes: Sequence[int]) -> pd.DataFrame:
    """Cells of encodings of these sizes."""
    return cells[(cells.kind == "encoding") & cells["size"].isin(sizes)]
