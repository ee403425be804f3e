"""A grid of inputs as a ReLU network maps it, before and after rounding."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_COLOURS, INFERENCE_LABELS
from qatlas.plotting import FULL_WIDTH, GREY, new_figure
from qatlas.summary import Summary

_LINES = 11


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Points on every sixth line of the grid or so, and the circle, with both outputs."""
    points = tables["toy_points"]
    sides = sorted(points[points.inputs == "grid"].x.unique())
    shown = sides[:: max(1, round(len(sides) / _LINES))]
    on_lines = points.x.isin(shown) | points.y.isin(shown)
    return points[(points.inputs == "circle") | on_lines]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a quantization: the float grid in grey beneath the quantized one."""
    names = list(drawn.quantization.unique())
    figure, panels = new_figure(FULL_WIDTH, 3.2, 1, len(names), sharex=True, sharey=True)
    for name, panel in zip(names, panels, strict=True):
        rows = drawn[drawn.quantization == name]
        colour = INFERENCE_COLOURS[name]
        _draw_grid(panel, rows[rows.inputs == "grid"], "float", GREY, 0.6)
        _draw_grid(panel, rows[rows.inputs == "grid"], "quantized", colour, 0.7)
        circle = rows[rows.inputs == "circle"].sort_values("point")
        for of, shade in (("float", "black"), ("quantized", colour)):
            around = pd.concat([circle, circle.iloc[:1]])
            panel.plot(
                around[f"{of}_x"],
                around[f"{of}_y"],
                color=shade,
                linewidth=1.6,
                label="float" if of == "float" else "rounded",
            )
        panel.set(title=INFERENCE_LABELS[name], xlabel="$y_1$")
        panel.legend(title="a circle of inputs", title_fontsize=7, loc="upper left")
    panels[0].set_ylabel("$y_2$")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    shares = [
        f"{INFERENCE_LABELS[name]} {summary.written(f'correction.{name}.grid.none.all.rms', '.3f')}"
        for name in INFERENCE_LABELS
    ]
    return (
        "Lines of a grid of inputs and a circle, as the network maps them: the float network in "
        "grey and black, the rounded one in colour. RMS length of the error over held-out points "
        f"of the grid: {', '.join(shares)}."
    )


def _draw_grid(panel: Axes, rows: pd.DataFrame, of: str, colour: str, width: float) -> None:
    """Draw the lines of the input grid where the outputs of a network take them."""
    lines = []
    for along, across in (("x", "y"), ("y", "x")):
        points = rows[across].nunique()
        for _, line in rows.sort_values(across).groupby(along):
            # Where only the lines across pass, there is no line along.
            if len(line) == points:
                lines.append(line[[f"{of}_x", f"{of}_y"]].to_numpy())
    panel.add_collection(LineCollection(lines, colors=colour, linewidths=width))
    panel.autoscale_view()
