"""Sets of inputs, and the sets that their actual errors make."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import FULL_WIDTH, GREY, new_figure, readable
from qatlas.summary import Summary

_INPUT, _ERROR = GREY, "#D55E00"
_CURVES = {"circle", "ellipse", "figure_eight"}
_OPEN = {"line", "spiral"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every input with its error, and the directions that are stretched most and least."""
    return pd.concat([tables["error_manifolds"], tables["error_transform"]], ignore_index=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """Inputs above, their errors below; arrows are the stretched directions."""
    points, axes = drawn[drawn.manifold.notna()], drawn[drawn["rank"].notna()]
    sets = points.groupby("manifold", sort=False)
    figure, panels = new_figure(
        FULL_WIDTH, 2.1, 2, sets.ngroups, sharex="row", sharey="row", height_ratios=[1, 0.7]
    )
    inputs, errors = panels[: sets.ngroups], panels[sets.ngroups :]
    for above, below, (name, rows) in zip(inputs, errors, sets, strict=True):
        around = [*rows.index, rows.index[0]] if name in _CURVES else list(rows.index)
        style = "-" if name in _CURVES | _OPEN else "."
        above.plot(rows.x[around], rows.y[around], style, color=_INPUT, markersize=2)
        below.plot(rows.error_x[around], rows.error_y[around], style, color=_ERROR, markersize=2)
        above.set_title(readable(str(name)))
    reach = float(np.hypot(points.x, points.y).max())
    for row in axes.to_dict("records"):
        for panel in errors:
            tip = reach * row["singular_value"] * np.array([row["output_x"], row["output_y"]])
            panel.annotate(
                "", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 0.6, "mutation_scale": 5}
            )
    for panel in panels:
        panel.set_aspect("equal", adjustable="box")
        panel.locator_params(nbins=3)
    inputs[0].set_ylabel("input")
    errors[0].set_ylabel("error")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Sets of inputs (above) and the errors of the output of full layers with rounded weights "
        "(below). Without a nonlinearity the error is a linear map of the input: it stretches one "
        "direction by the first of "
        f"{summary.written('error_transform.singular_values', '.5f')} and the direction across it "
        "by the other (condition number "
        f"{summary.written('error_transform.condition_number', '.2f')}; arrows), so a circle "
        "becomes an ellipse."
    )
