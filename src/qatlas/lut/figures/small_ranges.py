"""What becomes of chains and dot products where the range is small."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style
from qatlas.lut.simulation.drawing import METHOD_DASHES, OPERATIONS, shared_legend, with_a_sign
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary

_METHODS = ("nearest", "stochastic")


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Final errors over the range, of the sizes that were compared at several ranges."""
    rows = with_a_sign(tables["simulations"])
    section = settings.simulations
    if section is None:
        return rows.iloc[:0]
    rows = rows[
        (rows.steps == section.steps)
        & (rows.reference == section.shown_reference)
        & rows["size"].isin(section.comparison.sizes)
        & rows.range.isin(section.comparison.ranges)
        & rows.method.isin(_METHODS)
        & (rows.table != "signed")
    ]
    columns = ["operation", "table", "size", "method", "range", "error_over_range"]
    return rows[[*columns, "operand_saturations"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A row an operation, a column a size, both axes logarithmic."""
    operations = [name for name in OPERATIONS if name in set(drawn.operation)] or ["chain"]
    sizes = sorted(drawn["size"].unique()) or [0]
    figure, panels = new_figure(
        FULL_WIDTH, 0.6 + 1.9 * len(operations), len(operations), len(sizes), sharex=True
    )
    places = [(operation, size) for operation in operations for size in sizes]
    for (operation, size), panel in zip(places, panels, strict=True):
        rows = drawn[(drawn.operation == operation) & (drawn["size"] == size)]
        for (table, method), line in rows.groupby(["table", "method"], sort=False):
            line = line.sort_values("range")
            style = encoding_style(str(table)) | {"linestyle": METHOD_DASHES[method]}
            style["label"] = f"{style['label']}, {method}"
            panel.plot(line.range, line.error_over_range, **style)
        panel.set(xscale="log", yscale="log", title=f"{OPERATIONS[operation]}, S = {size}")
        ranges = sorted(drawn.range.unique())
        panel.set_xticks(ranges, [f"{limit:g}" for limit in ranges])
        panel.xaxis.minorticks_off()
    for panel in panels[:: len(sizes)]:
        panel.set_ylabel("mean |error| / R")
    for panel in panels[-len(sizes) :]:
        panel.set_xlabel("range R")
    shared_legend(figure, panels, 4)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    return (
        "Mean magnitude of the final error over the range R. Factors of a chain are near 1: where "
        "R is less they are clipped onto it, and the chain falls to zero. Operands of a dot "
        "product are within R / 2; the smaller R, the fewer codes their products reach."
    )
