"""How errors grow with the number of steps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style, shown_sizes
from qatlas.lut.simulation.drawing import METHOD_DASHES, OPERATIONS, shared_legend
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary

_METHODS = ("nearest", "stochastic")


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """RMS errors to float64 of one size of table: the largest of at most 256 levels."""
    rows = tables["trajectories"]
    rows = rows[(rows.reference == "float64") & rows.method.isin(_METHODS)]
    size = max(shown_sizes([s for s in settings.simulated_sizes if s <= 256] or [0]))
    rows = rows[rows["size"] == size]
    return rows[["operation", "table", "size", "method", "step", "rms_error"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel an operation, both axes logarithmic; dashed, the slopes of the laws."""
    operations = [name for name in OPERATIONS if name in set(drawn.operation)] or ["chain"]
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(operations))
    for operation, panel in zip(operations, panels, strict=True):
        rows = drawn[(drawn.operation == operation) & (drawn.rms_error > 0)]
        for (table, method), line in rows.groupby(["table", "method"], sort=False):
            style = encoding_style(str(table)) | {"marker": "", "linestyle": METHOD_DASHES[method]}
            style["label"] = f"{style['label']}, {method}"
            panel.plot(line.step, line.rms_error, **style)
        if len(rows):
            steps = np.array([1.0, rows.step.max()])
            for slope, start in ((0.5, rows.rms_error.min()), (1.0, rows.rms_error.min())):
                panel.plot(steps, 0.6 * start * steps**slope, **BOUND)
                panel.annotate(
                    "n" if slope == 1 else "√n",
                    (steps[1], 0.6 * start * steps[1] ** slope),
                    xytext=(3, 0),
                    textcoords="offset points",
                    fontsize=7,
                    ha="left",
                    va="center",
                    annotation_clip=False,
                )
        panel.set(xscale="log", yscale="log", xlabel="steps n", title=OPERATIONS[operation])
    panels[0].set_ylabel("RMS error to float64")
    shared_legend(figure, panels, 4)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    slope = summary.written("simulations.dot_wide.nearest.median_deviation_slope", ".3f")
    return (
        "RMS error to float64 after n steps, for the largest tables of at most 256 levels. Dashed: "
        "a random walk (√n) and a bias (n). Sums that do not saturate follow the laws (median "
        f"slope of the deviation, nearest look-up: {slope}); sums that saturate stop growing. "
        "Unsigned tables take operands below zero for zero, which is a bias."
    )
