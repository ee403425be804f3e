"""The region of errors in space as layers are added, of full matrices and of their diagonals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import EXPERIMENT_COLOURS, draw_solid, frame_space, up_to
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary

_ROWS = {"full": "full matrices", "diagonal_twin": "diagonals alone"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Faces of the errors up to each layer."""
    rows = tables["outlines"]
    return rows[(rows.dimension == 3) & rows.experiment.isin(_ROWS) & (rows.part == "sum")]


def draw(drawn: pd.DataFrame) -> Figure:
    """A column a layer, all of one scale."""
    layers = sorted(drawn.layer.unique())
    figure, panels = new_figure(FULL_WIDTH, 3.9, len(_ROWS), len(layers))
    reach = np.abs(drawn[["x", "y", "z"]].to_numpy()).max(axis=0)
    for place, panel in enumerate(panels):
        name, layer = list(_ROWS)[place // len(layers)], layers[place % len(layers)]
        rows = drawn[(drawn.experiment == name) & (drawn.layer == layer)]
        draw_solid(panel, rows, EXPERIMENT_COLOURS[name], 0.35)
        frame_space(panel, reach)
        panel.set_title(f"{_ROWS[name]},\n{up_to(layer)}")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "All errors up to each layer, as changes of the "
        f"{summary.written('3d.full.space')}, of full matrices and of the same "
        "boxes carried by their diagonals alone, on one scale. Volumes by layer: "
        f"{summary.written('3d.full.layers.sum_volume', '.3g')} and "
        f"{summary.written('3d.diagonal_twin.layers.sum_volume', '.3g')}; longest error "
        f"{summary.written('3d.full.worst', '.2f')} and "
        f"{summary.written('3d.diagonal_twin.worst', '.2f')}, RMS of random errors "
        f"{summary.written('3d.full.rms', '.2f')} and "
        f"{summary.written('3d.diagonal_twin.rms', '.2f')}."
    )
