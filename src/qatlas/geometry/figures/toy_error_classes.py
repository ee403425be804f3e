"""Where the error of a ReLU network is metric and where it is topological."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qatlas.geometry.drawing import CHANGED_COLOUR, INFERENCE_LABELS, SHADES
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Length of the error at every point of the grid."""
    rows = tables["toy_points"].query("inputs == 'grid'")
    error = np.hypot(rows.quantized_x - rows.float_x, rows.quantized_y - rows.float_y)
    return rows[["quantization", "x", "y", "topological"]].assign(error=error)


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a quantization: length of the error, points of another pattern ringed."""
    names = list(drawn.quantization.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.8, 1, len(names), sharex=True, sharey=True)
    levels = MaxNLocator(12).tick_values(0, drawn.error.max())
    for name, panel in zip(names, panels, strict=True):
        rows = drawn[drawn.quantization == name]
        square = rows.pivot_table(index="y", columns="x", values="error")
        shown = panel.contourf(square.columns, square.index, square, levels=levels, cmap=SHADES)
        changed = rows[rows.topological]
        panel.plot(
            changed.x,
            changed.y,
            linestyle="none",
            marker="o",
            markersize=2,
            markerfacecolor="none",
            markeredgecolor=CHANGED_COLOUR,
            label="topological",
        )
        panel.set(title=INFERENCE_LABELS[name], xlabel="$x_1$")
        panel.set_aspect("equal")
        panel.grid(visible=False)
    panels[0].set_ylabel("$x_2$")
    bar = figure.colorbar(shown, ax=panels, label="length of the error", ticks=levels[::2])
    bar.ax.grid(visible=False)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    said = [
        f"{called} {summary.written(f'correction.{name}.grid.topological_share', '.1%')} on the "
        f"grid and {summary.written(f'correction.{name}.circle.topological_share', '.1%')} on the "
        "circle"
        for name, called in INFERENCE_LABELS.items()
    ]
    return (
        "Length of the output error over the inputs. Rings: inputs whose hidden sign pattern "
        f"changed, where the error is topological; their share of its energy: {'; '.join(said)}."
    )
