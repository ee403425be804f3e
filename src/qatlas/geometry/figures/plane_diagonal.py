"""Errors of diagonal layers of two channels: one factor for both, or one for each."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import draw_plane_set, layer_colours, rms_ellipse, up_to
from qatlas.plotting import COLUMN_WIDTH, new_figure
from qatlas.summary import Summary

_TITLES = {
    "uniform_diagonal": "one factor",
    "nonuniform_diagonal": "a factor a channel",
}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The errors up to each layer, and the principal axes of random errors."""
    outlines, axes = tables["outlines"], tables["principal_axes"]
    here = (outlines.dimension == 2) & (outlines.part == "sum") & outlines.experiment.isin(_TITLES)
    random = (axes.dimension == 2) & (axes.of == "weights") & axes.experiment.isin(_TITLES)
    return pd.concat([outlines[here], axes[random]], ignore_index=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel an experiment; the errors up to a layer hold those before it."""
    figure, panels = new_figure(COLUMN_WIDTH, 3.9, 1, 2, sharex=True, sharey=True)
    colours = layer_colours(int(drawn.layer.max()))
    for panel, (name, title) in zip(panels, _TITLES.items(), strict=True):
        rows = drawn[drawn.experiment == name]
        for layer in range(len(colours), 0, -1):
            style = {"facecolor": colours[layer - 1], "edgecolor": "white", "label": up_to(layer)}
            draw_plane_set(panel, rows[rows.layer == layer], **style)
        ellipse = panel.add_patch(rms_ellipse(rows))
        ellipse.set_label("RMS of random errors")
        panel.set(title=title, xlabel="error of $x_1$", aspect="equal")
    panels[0].set_ylabel("error of $x_2$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    said = [
        f"{title}: {summary.written(f'2d.{name}.relative_error', '.2%')} of the two inputs, "
        f"worst over RMS {summary.written(f'2d.{name}.worst_over_rms', '.1f')}"
        for name, title in _TITLES.items()
    ]
    return (
        f"All errors, as changes of the {summary.written('2d.uniform_diagonal.space')}, that "
        "rounding the weights of diagonal layers can "
        f"make, layer by layer. Largest at the end with {'; '.join(said)}."
    )
