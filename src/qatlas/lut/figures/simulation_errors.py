"""Final errors of chains and dot products by look-up against the bits of a table."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style
from qatlas.lut.simulation.drawing import OPERATIONS, shared_legend, with_a_sign
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Results after all steps: errors to float64 of tables and of every reference."""
    rows = with_a_sign(tables["simulations"])
    rows = rows[(rows.steps == rows.steps.max()) & (rows.range == settings.range)]
    columns = ["operation", "table", "size", "bits", "method", "reference"]
    return rows[[*columns, "mean_absolute_error", "reference_error"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A row an operation, a column a method; a line an encoding, float8 pale beside the others.

    Against other references the errors are those against float64, within what the references err.
    """
    operations = [name for name in OPERATIONS if name in set(drawn.operation)]
    methods = list(dict.fromkeys(drawn.method))
    figure, panels = new_figure(
        FULL_WIDTH,
        0.6 + 1.9 * len(operations),
        len(operations),
        len(methods),
        sharex=True,
        sharey="row",
    )
    places = [(operation, method) for operation in operations for method in methods]
    for (operation, method), panel in zip(places, panels, strict=True):
        rows = drawn[(drawn.operation == operation) & (drawn.method == method)]
        for (reference, table), line in rows.groupby(["reference", "table"], sort=False):
            style = encoding_style(str(table))
            if reference == "float8":
                style |= {"alpha": 0.35, "linestyle": (0, (2, 1)), "label": "_float8", "marker": ""}
            elif reference != "float16" and "float16" in set(rows.reference):
                continue
            panel.plot(line.bits, line.mean_absolute_error, **style)
        for reference, level in rows.groupby("reference").reference_error.first().items():
            if level > 0 and reference in ("float8", "float16"):
                panel.axhline(level, **BOUND)
                panel.annotate(
                    str(reference),
                    (1, level),
                    xycoords=("axes fraction", "data"),
                    ha="right",
                    va="bottom",
                    fontsize=6,
                )
        panel.set(yscale="log", title=f"{OPERATIONS[operation]}\n{method}")
        panel.set_xticks(sorted(drawn.bits.unique()))
    for panel in panels[:: len(methods)]:
        panel.set_ylabel("mean |error|")
    for panel in panels[-len(methods) :]:
        panel.set_xlabel("bits of an operand")
    shared_legend(figure, panels, 5)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    smallest = "; ".join(
        f"{operation} and {reference}: "
        + _smallest(summary, f"simulations.{operation}.smallest_tracking_{reference}")
        for operation in ("chain", "dot")
        for reference in ("float8", "float16")
    )
    return (
        "Mean magnitude of the final error against the bits of an operand: solid against float16, "
        "pale against float8, whose own errors to float64 are dashed. Unsigned tables have chains "
        "alone. Smallest tables that err no more than a reference does: "
        f"{smallest}."
    )


def _smallest(summary: Summary, name: str) -> str:
    return (
        "none" if name in summary.values and summary[name].value is None else summary.written(name)
    )
