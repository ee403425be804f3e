"""Sets of inputs, each input in the shade of its largest error."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import SHADES, add_shade_bar
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every input of every set."""
    return tables["manifold_errors"]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a set, one scale of shades for all."""
    figure, panels = new_figure(FULL_WIDTH, 3.5, 2, 4, sharex=True, sharey=True)
    for panel, (name, rows) in zip(panels, drawn.groupby("manifold", sort=False), strict=False):
        shown = panel.scatter(
            rows.x, rows.y, c=rows.worst, cmap=SHADES, vmin=0, vmax=drawn.worst.max(), s=9
        )
        panel.set_title(readable(str(name)))
        panel.set_aspect("equal")
    panels[3].tick_params(labelbottom=True)
    panels[7].remove()
    figure.supxlabel("$x_1$", fontsize=8)
    figure.supylabel("$x_2$", fontsize=8)
    add_shade_bar(figure, shown, panels[:7], "longest error", shrink=0.8, aspect=30)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    extremes = [
        f"{readable(name)} {summary.written(f'manifolds.{name}.minimum', '.2f')} to "
        f"{summary.written(f'manifolds.{name}.maximum', '.2f')} "
        f"(mean RMS {summary.written(f'manifolds.{name}.mean_rms', '.2f')})"
        for name in ("circle", "line", "two_blobs")
    ]
    return (
        "Inputs of full layers of two channels, and the longest error that rounding the weights "
        f"can make at each, as a change of the {summary.written('2d.full.space')}: "
        f"{'; '.join(extremes)}."
    )
