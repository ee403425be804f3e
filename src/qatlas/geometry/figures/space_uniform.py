"""Errors of layers that scale all three channels alike: boxes in boxes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from qatlas.geometry.drawing import draw_solid, frame_space, layer_colours, up_to
from qatlas.plotting import COLUMN_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Faces of the errors up to each layer."""
    rows = tables["outlines"]
    here = (rows.dimension == 3) & (rows.experiment == "uniform") & (rows.part == "sum")
    return rows[here]


def draw(drawn: pd.DataFrame) -> Figure:
    """Seen from the front right, each box through those around it."""
    figure, (panel,) = new_figure(COLUMN_WIDTH, 3.4)
    colours = layer_colours(int(drawn.layer.max()))
    for layer in range(len(colours), 0, -1):
        draw_solid(panel, drawn[drawn.layer == layer], colours[layer - 1], 0.22)
    frame_space(panel, np.abs(drawn[["x", "y", "z"]].to_numpy()).max(axis=0))
    handles = [Patch(color=colour, label=up_to(n)) for n, colour in enumerate(colours, start=1)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "All errors that rounding one factor a layer can make, as changes of the "
        f"{summary.written('3d.uniform.space')}, layer by "
        f"layer; widths at the end {summary.written('3d.uniform.bounding_box', '.2f')}. Every "
        f"channel errs by the same share, {summary.written('3d.uniform.relative_error', '.2%')}; "
        f"the longest error is {summary.written('3d.uniform.worst_over_rms', '.1f')} times the "
        "RMS of random ones."
    )
