"""How much of its bounding box the region of errors of full layers fills."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import EXPERIMENT_COLOURS, draw_box, draw_solid, frame_space
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary

_TITLES = {"full": "full matrices", "diagonal_twin": "diagonals alone"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Faces of the errors of all layers together, in space."""
    rows = tables["outlines"]
    here = rows[(rows.dimension == 3) & rows.experiment.isin(_TITLES) & (rows.part == "sum")]
    return here[here.layer == here.layer.max()]


def draw(drawn: pd.DataFrame) -> Figure:
    """Each region inside its bounding box, dashed."""
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(_TITLES))
    axes = ["x", "y", "z"]
    for panel, (name, title) in zip(panels, _TITLES.items(), strict=True):
        rows = drawn[drawn.experiment == name]
        half = np.abs(rows[axes].to_numpy()).max(axis=0)
        draw_solid(panel, rows, EXPERIMENT_COLOURS[name], 0.4)
        draw_box(panel, half, **BOUND | {"linewidth": 0.7, "zorder": 3})
        frame_space(panel, np.abs(drawn[axes].to_numpy()).max(axis=0))
        panel.set_title(title)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "The errors of all layers together and their bounding box (dashed). Of it the region of "
        f"full matrices fills {summary.written('3d.full.bounding_box_efficiency', '.0%')}, that "
        "of their diagonals "
        f"{summary.written('3d.diagonal_twin.bounding_box_efficiency', '.0%')}: bounds of single "
        "channels say more than there is where layers mix channels. Volumes "
        f"{summary.written('3d.full.volume', '.1f')} and "
        f"{summary.written('3d.diagonal_twin.volume', '.1f')}, longest error over RMS "
        f"{summary.written('3d.full.worst_over_rms', '.1f')} and "
        f"{summary.written('3d.diagonal_twin.worst_over_rms', '.1f')}."
    )
