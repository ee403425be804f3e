"""Whether stochastic rounding and interpolation pay, beside look-up of the nearest."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style
from qatlas.lut.simulation.drawing import OPERATIONS, shared_legend
from qatlas.lut.simulation.run import FIXED_GRID
from qatlas.plotting import BOUND, FULL_WIDTH, GREY, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Final deviation over that of nearest look-up, with intervals."""
    rows = tables["growth"]
    rows = rows[rows.method != "nearest"].dropna(subset=["ratio", "ratio_low"])
    columns = ["operation", "table", "size", "bits", "method", "predicted_ratio"]
    return rows[[*columns, "ratio", "ratio_low", "ratio_high"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel an operation and method; below 1 the method pays."""
    found = set(zip(drawn.operation, drawn.method, strict=True))
    places = [
        (operation, method)
        for operation in OPERATIONS
        for method in ("stochastic", "bilinear")
        if (operation, method) in found
    ] or [("chain", "bilinear")]
    figure, panels = new_figure(FULL_WIDTH, 2.6, 1, len(places), sharey=True)
    for (operation, method), panel in zip(places, panels, strict=True):
        rows = drawn[(drawn.operation == operation) & (drawn.method == method)]
        for table, line in rows.groupby("table", sort=False):
            style: dict[str, Any] = {"color": GREY, "marker": "x", "label": "fixed grid"}
            if table != FIXED_GRID:
                style = encoding_style(str(table))
            panel.errorbar(
                line.bits,
                line.ratio,
                yerr=[line.ratio - line.ratio_low, line.ratio_high - line.ratio],
                elinewidth=0.7,
                **style,
            )
        panel.axhline(1, color=GREY, linewidth=0.6)
        if method == "stochastic":
            panel.axhline(np.sqrt(2), label="√2", **BOUND)
        panel.set(yscale="log", title=f"{OPERATIONS[operation]}\n{method}", xlabel="bits")
        panel.set_xticks(sorted(drawn.bits.unique()))
    panels[0].set_yticks([0.1, 0.2, 0.5, 1, 2, 4], ["0.1", "0.2", "0.5", "1", "2", "4"])
    panels[0].minorticks_off()
    panels[0].set_ylabel("deviation / that of nearest")
    shared_legend(figure, panels, 6)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    dot, chain = (
        summary.written(f"simulations.{operation}.bilinear.median_ratio", ".2f")
        for operation in ("dot_wide", "chain")
    )
    return (
        "Deviation of the final error over that of nearest look-up in the same table, with 95 % "
        f"intervals. Interpolation: median ratio {dot} in dot products, {chain} in chains; it "
        "takes off the rounding of operands, not what the table clips. Stochastic rounding costs "
        "√2 (dashed) on a fixed grid, and less by table, where only operands are drawn at random."
    )
