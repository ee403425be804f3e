"""How the largest errors of sets of inputs are spread, and whether they follow ||x||_1."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import FULL_WIDTH, GREY, new_figure, readable
from qatlas.summary import Summary

_COLOUR = "#0072B2"


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every set."""
    return tables["manifold_statistics"]


def draw(drawn: pd.DataFrame) -> Figure:
    """Range, deviation and mean on the left; then the ratio of extremes and the correlation."""
    figure, (spread, ratio, correlation) = new_figure(
        FULL_WIDTH, 2.5, 1, 3, sharey=True, width_ratios=[1.6, 1, 1]
    )
    places = np.arange(len(drawn))[::-1]
    spread.hlines(places, drawn.minimum, drawn.maximum, color=GREY, linewidth=1)
    low, high = drawn["mean"] - drawn.deviation, drawn["mean"] + drawn.deviation
    spread.hlines(places, low, high, color=_COLOUR, linewidth=5, alpha=0.45, label="deviation")
    spread.plot(drawn["mean"], places, "o", color=_COLOUR, label="mean")
    spread.plot(drawn.mean_rms, places, "k|", markersize=9, markeredgewidth=1.4, label="mean RMS")
    spread.set(xlabel="longest error: range, deviation, mean", xlim=(0, None))
    spread.set_yticks(places, [readable(name) for name in drawn.manifold])
    spread.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderpad=0)
    finite = np.isfinite(drawn.variation_ratio)
    largest = drawn.variation_ratio[finite].max() if finite.any() else 1.0
    ratio.barh(places[finite], drawn.variation_ratio[finite], color=_COLOUR, height=0.55)
    for place in places[np.isinf(drawn.variation_ratio)]:
        ratio.text(1.1, place, "infinite: smallest is 0", va="center", fontsize=7)
    ratio.set(xscale="log", xlabel="largest over smallest", xlim=(1, 2 * largest))
    correlation.barh(places, drawn.correlation_l1, color=_COLOUR, height=0.55)
    correlation.set(xlabel="correlation with $||x||_1$", xlim=(0, 1.02))
    for panel in (spread, ratio, correlation):
        panel.grid(visible=False, axis="y")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Longest errors over the inputs of each set, and beside them the mean of the RMS of "
        "random errors. The correlation with ||x||_1 is "
        f"{summary.written('manifolds.line.correlation_l1', '.3f')} along the line and, on the "
        "circle, where ||x||_2 is the same everywhere, "
        f"{summary.written('manifolds.circle.correlation_l1', '.2f')}. The figure eight passes "
        "through the origin, where nothing is lost, so its ratio of largest to smallest is "
        f"{summary.written('manifolds.figure_eight.variation_ratio')}."
    )
