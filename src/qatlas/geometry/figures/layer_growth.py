"""How errors grow from block to block, beside their first-order propagation."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qatlas.geometry.drawing import BITS_COLOURS
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every block at every width."""
    return tables["layer_growths"]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model, a colour a width; dashes are of first order."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.5, 1, len(models), sharey=True)
    colours = dict(zip(sorted(drawn.bits.unique()), BITS_COLOURS, strict=False))
    for model, panel in zip(models, panels, strict=True):
        for bits, rows in drawn[drawn.model == model].groupby("bits"):
            colour = colours[bits]
            panel.plot(rows.block, rows.measured, color=colour, marker="o", linewidth=1.4)
            panel.plot(
                rows.block, rows.first_order, color=colour, linestyle=(0, (3, 2)), marker="x"
            )
        panel.set(yscale="log", title=readable(model), xlabel="block")
        panel.set_xticks(sorted(drawn[drawn.model == model].block.unique()))
    panels[0].set_ylabel("error over hidden states")
    figure.legend(
        handles=[
            *(
                Line2D([], [], color=c, linewidth=1.4, label=f"{b} bits")
                for b, c in colours.items()
            ),
            Line2D([], [], color="0.3", marker="o", label="measured"),
            Line2D([], [], color="0.3", marker="x", linestyle=(0, (3, 2)), label="first order"),
        ],
        loc="outside lower center",
        ncols=len(colours) + 2,
    )
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "RMS error of the hidden states behind each block with all linear layers rounded, over "
        "that of the hidden states, and what first-order propagation of the weights' errors gives."
    )
