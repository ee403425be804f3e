"""The plot of one variant: a trajectory beside its reference, and the errors of the ensemble."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut_simulations import Simulations
from qatlas.lut.drawing import encoding_style, label
from qatlas.lut.simulation.plot_names import PlotName
from qatlas.plotting import BOUND, COLUMN_WIDTH

_NAMES = {"chain": "chained multiplication", "dot": "dot product"}


def select(
    tables: Mapping[str, pd.DataFrame], name: PlotName, settings: Simulations
) -> pd.DataFrame:
    """Rows of the example and, where the ensemble was recorded, its errors, by step."""
    example, band = (
        _of_variant(tables[table], name, settings) for table in ("examples", "trajectories")
    )
    errors = ["median_absolute_error", "low_absolute_error", "high_absolute_error"]
    values = ["table", "operation", "size", "method", "reference", "step", "value"]
    return example[[*values, "reference_value"]].merge(
        band[["step", *errors]], on="step", how="outer"
    )


def draw(drawn: pd.DataFrame) -> Figure:
    """Above the first trajectory and the reference, below the ensemble's errors."""
    known = drawn.dropna(subset=["value"])
    named = known.iloc[0]
    # Laid out by hand: dozens of these are drawn at a time.
    figure = Figure(figsize=(COLUMN_WIDTH, 3.6))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.2, 1])
    figure.subplots_adjust(left=0.17, right=0.97, top=0.89, bottom=0.23, hspace=0.12)
    colour = encoding_style(str(named.table))["color"]
    above.plot(known.step, known.reference_value, label=f"{named.reference} reference", **BOUND)
    above.plot(known.step, known.value, color=colour, label="by table")
    above.set_ylabel("value")
    above.set_title(
        f"{_NAMES[str(named.operation)]}\n{label(str(named.table))}, S = {named['size']:g}, "
        f"{named.method}"
    )
    band = drawn.dropna(subset=["median_absolute_error"])
    below.fill_between(
        band.step,
        band.low_absolute_error,
        band.high_absolute_error,
        color=colour,
        alpha=0.25,
        linewidth=0,
        label="5 to 95 %",
    )
    below.plot(band.step, band.median_absolute_error, color=colour, label="median |error|")
    below.set(xlabel="step", ylabel="|error|", xlim=(0, known.step.max()))
    below.set_ylim(bottom=0)
    figure.align_ylabels([above, below])
    handles, labels = map(list.__add__, *(p.get_legend_handles_labels() for p in (above, below)))
    figure.legend(handles, labels, loc="lower center", ncols=2)
    return figure


def caption(drawn: pd.DataFrame, settings: Simulations) -> str:
    """What the plot shows."""
    band = drawn.dropna(subset=["median_absolute_error"])
    last = band.iloc[-1]
    return (
        f"The first of {settings.seeds:,} trajectories (above) and the magnitude of all their "
        f"errors against {settings.shown_reference}: after {last.step:g} steps the median is "
        f"{last.median_absolute_error:.2g}."
    )


def _of_variant(rows: pd.DataFrame, name: PlotName, settings: Simulations) -> pd.DataFrame:
    return rows[
        (rows.operation == name.operation)
        & (rows.table == name.encoding)
        & (rows["size"] == name.size)
        & (rows.method == name.method)
        & (rows.reference == settings.shown_reference)
        & (rows.step <= (name.steps or settings.steps))
    ]
