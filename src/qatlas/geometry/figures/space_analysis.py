"""Layers and regions in space: what weights stretch, how volume grows, what shadows look like."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qatlas.geometry.drawing import EXPERIMENT_COLOURS, faces_of
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary

_CURVES = {
    "spectral_norm": "spectral norm",
    "condition_number": "condition number",
    "sum_volume": "volume up to a layer",
    "efficiency": "share of its box",
}
_SHADOWS = (("x", "y"), ("x", "z"), ("y", "z"))
_CHANNELS = {"x": "$x_1$", "y": "$x_2$", "z": "$x_3$"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every layer in space, and the faces of the full matrices' region and of its twin's."""
    layers, outlines = tables["region_layers"], tables["outlines"]
    here = layers[layers.dimension == 3]
    here = here.assign(efficiency=here.volume / here.hull_volume)
    mixed = outlines.experiment.isin(["full", "diagonal_twin"]) & (outlines.dimension == 3)
    sums = outlines[mixed & (outlines.part == "sum")]
    last = sums[sums.layer == sums.layer.max()]
    return pd.concat(
        [here[["experiment", "layer", *_CURVES]], last[["experiment", "face", "x", "y", "z"]]],
        ignore_index=True,
    )


def draw(drawn: pd.DataFrame) -> Figure:
    """Four quantities by layer; below, the shadows of two regions on the coordinate planes."""
    figure, panels = new_figure(FULL_WIDTH, 3.9, 2, 4)
    layers, faces = drawn[drawn.face.isna()], drawn[drawn.face.notna()]
    for panel, (column, title) in zip(panels, _CURVES.items(), strict=False):
        for name, rows in layers.groupby("experiment", sort=False):
            panel.plot(
                rows.layer,
                rows[column],
                marker="o",
                color=EXPERIMENT_COLOURS[str(name)],
                linestyle="--" if name == "diagonal_twin" else "-",
                label=readable(str(name)),
            )
        panel.set(title=title, xlabel="layer")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[2].set_yscale("log")
    panels[3].set_ylim(0, 1.08)
    for panel, (across, up) in zip(panels[4:], _SHADOWS, strict=False):
        for name in ("full", "diagonal_twin"):
            colour = EXPERIMENT_COLOURS[name]
            for face in faces_of(faces[faces.experiment == name]):
                corners = pd.DataFrame(face, columns=["x", "y", "z"])
                # The twin's is a box, so that the edges of its faces are its outline.
                filled = name == "full"
                panel.fill(corners[across], corners[up], fill=filled, color=colour, linewidth=1)
        panel.set(xlabel=f"error of {_CHANNELS[across]}", ylabel=f"error of {_CHANNELS[up]}")
        panel.set_aspect("equal", adjustable="datalim")
    panels[7].axis("off")
    panels[7].legend(*panels[0].get_legend_handles_labels(), loc="center")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Layers of three channels: largest singular value of the weights and its ratio to the "
        "smallest, volume of all errors up to a layer (log scale), and share of its bounding box "
        "that a layer's own errors fill. Below, shadows of the region of full matrices and of "
        "its diagonal twin on the planes of two channels. Share of a layer's box, full matrices: "
        f"{summary.written('3d.full.layers.bounding_box_efficiency', '.2f')}. Longest error over "
        f"RMS: {summary.written('3d.full.worst_over_rms', '.1f')}, of the twin "
        f"{summary.written('3d.diagonal_twin.worst_over_rms', '.1f')}."
    )
