"""Errors of full layers of two channels: each layer's, and their sum."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from qatlas.geometry.drawing import draw_plane_set, layer_colours, rms_ellipse
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Each layer's errors and their sums, and the principal axes of random errors."""
    outlines, axes = tables["outlines"], tables["principal_axes"]
    here = (outlines.dimension == 2) & (outlines.experiment == "full")
    random = (axes.dimension == 2) & (axes.experiment == "full") & (axes.of == "weights")
    return pd.concat([outlines[here], axes[random]], ignore_index=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """On the left the layers alone, on the right all up to each layer with the bounding box."""
    figure, (alone, together) = new_figure(FULL_WIDTH, 2.6, 1, 2)
    colours = layer_colours(int(drawn.layer.max()))
    for layer, colour in enumerate(colours, start=1):
        rows = drawn[(drawn.layer == layer) & (drawn.part == "layer")]
        style = {"fill": False, "edgecolor": colour}
        draw_plane_set(alone, rows, **style | {"linewidth": 1.4})
    sums = drawn[drawn.part == "sum"]
    for layer in range(len(colours), 0, -1):
        style = {"facecolor": colours[layer - 1], "edgecolor": "white", "label": f"layer {layer}"}
        draw_plane_set(together, sums[sums.layer == layer], **style)
    last = sums[sums.layer == sums.layer.max()]
    half = np.abs(last[["x", "y"]].to_numpy()).max(axis=0)
    edge = {"fill": False, "edgecolor": "black", "linestyle": BOUND["linestyle"]}
    together.add_patch(Rectangle(-half, *(2 * half), label="bounding box", **edge))
    together.add_patch(rms_ellipse(drawn[drawn.of == "weights"])).set_label("RMS of random errors")
    together.set_xlim(-1.08 * half[0], 1.08 * half[0])
    together.set_ylim(-1.08 * half[1], 1.08 * half[1])
    for panel, title in (
        (alone, "each layer alone"),
        (together, "each layer and all before it"),
    ):
        panel.set(title=title, xlabel="error of $x_1$", ylabel="error of $x_2$", aspect="equal")
        panel.locator_params(nbins=5)
    figure.legend(*together.get_legend_handles_labels(), loc="outside right center")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        f"All errors, as changes of the {summary.written('2d.full.space')}, that rounding the "
        "weights of full layers of two "
        "channels can make. The region fills "
        f"{summary.written('2d.full.bounding_box_efficiency', '.0%')} of its bounding box; its "
        f"longest error is {summary.written('2d.full.worst', '.2f')}, "
        f"{summary.written('2d.full.worst_over_rms', '.1f')} times the RMS of random errors "
        "(dotted: one standard deviation), and the farthest of the drawn weights is at "
        f"{summary.written('2d.full.monte_carlo.largest_gauge', '.2f')} of the boundary."
    )
