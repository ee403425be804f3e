"""How curves of codec families are drawn, the same in all chapters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.plotting import (
    FAMILY_COLOURS,
    FULL_WIDTH,
    context_style,
    family_style,
    new_figure,
)

TRUE_RATE = "true rate (bits per weight, everything charged)"

INTERVALS = "Upright bars: 95 % intervals of what was measured on rows drawn at random."
"""What captions say of the intervals that ``draw_families`` draws."""

LONGEST_STEP_BITS = 2.25
"""A line between points further apart would suggest rates that nobody measured."""


def panels_of_models(models: Sequence[str], height: float) -> tuple[Figure, list[Axes]]:
    """Empty panels against the true rate, two a row, one a model."""
    columns = min(len(models), 2)
    figure, axes = new_figure(
        FULL_WIDTH, height, -(-len(models) // 2), columns, sharex=True, sharey=True
    )
    for unused in axes[len(models) :]:
        unused.remove()
    for lowest in axes[max(len(models) - columns, 0) : len(models)]:
        lowest.set_xlabel(TRUE_RATE)
        lowest.tick_params(labelbottom=True)
    return figure, axes[: len(models)]


def draw_families(panel: Axes, points: pd.DataFrame, quantity: str) -> None:
    """Every series pale, and the best of each family on top in its colour, with markers.

    A family whose grids are single points is not a curve: its best are not joined.

    Parameters
    ----------
    points
        Columns codec, series, rate_bits_per_weight, best (see ``envelopes.with_best``) and the
        quantity; where there are some with "_low" and "_high" behind its name, intervals are drawn.
    """
    points = points.sort_values("rate_bits_per_weight", kind="stable")
    for (family, _), series in points.groupby(["codec", "series"]):
        # A line through one point is not seen.
        alone = {"marker": "." if len(series) == 1 else ""}
        _draw_line(panel, series, quantity, context_style(str(family)) | alone)
    for family in in_order(points.codec):
        rows = points[points.codec == family]
        joined = {"linestyle": "-" if rows.series.duplicated().any() else "none"}
        _draw_line(panel, rows[rows.best], quantity, family_style(family) | joined)
        _draw_intervals(panel, rows[rows.best], quantity)


def draw_legend(figure: Figure, panels: list[Axes], columns: int) -> None:
    """One legend below all panels: what is drawn in any of them, once."""
    lines = {str(line.get_label()): line for panel in panels for line in panel.get_lines()}
    shown = {label: line for label, line in lines.items() if not label.startswith("_")}
    figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=columns)


def in_order(families: pd.Series) -> list[str]:
    """Families in the order in which colours are given to them; others behind, by name."""
    present = set(families)
    return [f for f in FAMILY_COLOURS if f in present] + sorted(present - FAMILY_COLOURS.keys())


def _draw_intervals(panel: Axes, best: pd.DataFrame, quantity: str) -> None:
    if f"{quantity}_low" not in best:
        return
    for row in best[best[f"{quantity}_low"] < best[f"{quantity}_high"]].to_dict("records"):
        ends = row[f"{quantity}_low"], row[f"{quantity}_high"]
        colour = family_style(row["codec"])["color"]
        panel.plot([row["rate_bits_per_weight"]] * 2, ends, color=colour, marker="_", label="_95 %")


def _draw_line(panel: Axes, points: pd.DataFrame, quantity: str, style: dict[str, Any]) -> None:
    """Points in order of rate, joined where they are neighbours."""
    rate = points.rate_bits_per_weight.to_numpy()
    gaps = 1 + np.flatnonzero(np.diff(rate) > LONGEST_STEP_BITS)
    panel.plot(
        np.insert(rate, gaps, np.nan), np.insert(points[quantity].to_numpy(), gaps, np.nan), **style
    )
