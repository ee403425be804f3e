"""Errors of full layers at inputs on a circle, layer by layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import layer_colours, up_to
from qatlas.plotting import FULL_WIDTH, GREY, new_figure
from qatlas.summary import Summary

_MAGNIFIED = 5


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Outlines of the errors up to each layer, with the input that each is around."""
    outlines, circle = tables["outlines"], tables["circle"]
    sums = outlines[(outlines.experiment == "circle") & (outlines.part == "sum")]
    inputs = circle[["point", "layer", "x", "y", "worst"]]
    known = sums[["point", "layer", "x", "y"]].rename(columns={"x": "error_x", "y": "error_y"})
    return known.merge(inputs, on=["point", "layer"])


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a layer: together the errors around all inputs make a tube."""
    layers = sorted(drawn.layer.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.25, 1, len(layers), sharex=True, sharey=True)
    for layer, panel, colour in zip(layers, panels, layer_colours(len(layers)), strict=True):
        rows = drawn[drawn.layer == layer]
        for _, outline in rows.groupby("point"):
            panel.fill(
                outline.x + _MAGNIFIED * outline.error_x,
                outline.y + _MAGNIFIED * outline.error_y,
                facecolor=colour,
                alpha=0.45,
                linewidth=0,
            )
        inputs = rows.drop_duplicates("point").sort_values("point")
        panel.plot(
            [*inputs.x, inputs.x.iloc[0]],
            [*inputs.y, inputs.y.iloc[0]],
            color=GREY,
            linewidth=0.5,
            marker=".",
            markersize=2,
        )
        panel.set(title=f"{up_to(layer)}\nat most {rows.worst.max():.2f}", xlabel="$x_1$")
        panel.set_aspect("equal")
    panels[0].set_ylabel("$x_2$")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Inputs on a circle, and around each all errors that rounding the weights of full layers "
        f"can make, drawn {_MAGNIFIED} times as large as they are. The longest is between "
        f"{summary.written('2d.circle.worst.min', '.2f')} and "
        f"{summary.written('2d.circle.worst.max', '.2f')}, depending on the input, and the RMS of "
        f"random errors between {summary.written('2d.circle.rms.min', '.2f')} and "
        f"{summary.written('2d.circle.rms.max', '.2f')}."
    )
