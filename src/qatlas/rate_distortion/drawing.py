"""How limits and gaps are drawn, the same in all of the chapter's figures."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from qatlas.plotting import (
    BOUND,
    GREY,
)

RATE = "true rate (bits per weight)"
NMSE = "MSE / variance of the weights"

LIMITS: dict[str, tuple[str, Any]] = {
    "shannon_bits": ("Gaussian Shannon bound", (0, (6, 2))),
    "empirical_bits": ("empirical bound", (0, (3, 1.5))),
    "shannon_lower_bits": ("Shannon lower bound", (0, (1, 1.2))),
}
"""Columns of the table of bounds: their name in a legend, and their dashes."""


def draw_limits(panel: Axes, limits: pd.DataFrame, quantity: str) -> None:
    """The limits as black dashes; columns series, rate_bits_per_weight and the quantity."""
    for limit, (label, dashes) in LIMITS.items():
        curve = limits[limits.series == limit].sort_values("rate_bits_per_weight")
        style = BOUND | {"linestyle": dashes, "label": label}
        panel.plot(curve.rate_bits_per_weight, curve[quantity], **style)


def draw_guide(panel: Axes, gap_bits: float, label: str) -> None:
    """A thin level line of a gap that some kind of quantizer reaches, named below its right end.

    No text if the label is empty.
    """
    panel.axhline(gap_bits, color=GREY, linewidth=0.5, zorder=1, label="_guide")
    panel.annotate(
        label,
        (1, gap_bits),
        xycoords=("axes fraction", "data"),
        xytext=(-1, -1.5),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=6,
        color=GREY,
    )


def kurtosis_axis(panel: Axes) -> None:
    """Horizontal axis of kurtosis: linear about a Gaussian's 3, logarithmic far from it."""
    panel.set_xscale("function", functions=(lambda k: np.arcsinh(k - 3), lambda t: np.sinh(t) + 3))
    lowest, highest = panel.get_xlim()
    panel.set_xticks([k for k in (1, 2, 3, 6, 10, 30, 100, 1000, 10_000) if lowest <= k <= highest])


def gap_axis(panel: Axes) -> None:
    """Vertical axis of gaps in bits: linear up to half a bit, logarithmic above."""
    panel.set_yscale("function", functions=(lambda g: np.arcsinh(2 * g), lambda t: np.sinh(t) / 2))
    lowest, highest = panel.get_ylim()
    ticks = [g for g in (-4, -2, -1, -0.5, 0, 0.25, 0.5, 1, 2, 4, 8) if lowest <= g <= highest]
    panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
