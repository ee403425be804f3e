"""How a ReLU network parts its inputs before and after rounding."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from qatlas.geometry.drawing import CHANGED_COLOUR, PATTERN_COLOURS
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary

_PANELS = {"before": "float", "after": "rounded", "changed": "changed"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every cell, its vertices in order."""
    return tables["toy_cells"]


def draw(drawn: pd.DataFrame) -> Figure:
    """The cells coloured by either sign pattern, and those that changed."""
    figure, panels = new_figure(FULL_WIDTH, 2.85, 1, 3, sharex=True, sharey=True)
    patterns = sorted({*drawn.before, *drawn.after}, reverse=True)
    colours = dict(zip(patterns, PATTERN_COLOURS, strict=False))
    for (column, called), panel in zip(_PANELS.items(), panels, strict=True):
        for _, cell in drawn.groupby("cell"):
            first = cell.iloc[0]
            changed = first.before != first.after
            shown = CHANGED_COLOUR if changed else "white"
            panel.fill(
                cell.x,
                cell.y,
                facecolor=shown if column == "changed" else colours[first[column]],
                edgecolor="0.4" if column == "changed" else "none",
                linewidth=0.4,
            )
        panel.set(title=called, xlabel="$x_1$")
        panel.set_aspect("equal", adjustable="box")
        panel.grid(visible=False)
    panels[0].set_ylabel("$x_2$")
    figure.legend(
        handles=[
            *(Patch(color=colours[pattern], label=_units(pattern)) for pattern in patterns),
            Patch(color=CHANGED_COLOUR, label="another pattern"),
        ],
        loc="outside lower center",
        ncols=len(patterns) + 1,
    )
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    name = "correction.weights"
    return (
        "Hidden units that are on over the input square of a ReLU network, with float weights and "
        "with weights on the grid. In the shaded part the pattern is not the same: "
        f"{summary.written(f'{name}.changed_share', '.2%')} of the area, an exact sum over cells "
        f"({summary.written(f'{name}.sampled_changed_share', '.2%')} of random inputs)."
    )


def _units(pattern: str) -> str:
    on = [str(unit) for unit, digit in enumerate(pattern, start=1) if digit == "1"]
    if not on:
        return "none on"
    return f"{'unit' if len(on) == 1 else 'units'} {', '.join(on)} on"
