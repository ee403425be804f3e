"""Normalised error against true rate, all codecs, with the limits."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config import RateDistortion
from qatlas.rate_distortion.curves import draw_panels, select_curves
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Curves of one tensor of each model."""
    return select_curves(tables, settings)


def draw(drawn: pd.DataFrame) -> Figure:
    """Error on a log scale: every bit is worth a factor of four."""
    figure, panels = draw_panels(drawn, "nmse", 6.4)
    measured = drawn[drawn.codec != "limit"]
    panels[0].set(
        yscale="log",
        xlim=(0, measured.rate_bits_per_weight.max() + 0.2),
        ylim=(measured.nmse.min() / 2, 2),
    )
    figure.supylabel("MSE / variance of the weights", fontsize=8)
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    nearest = summary["example.4bit.nearest_to_empirical"]
    gap = summary["example.4bit.nearest_gap_empirical_bits"]
    return (
        f"Rate and distortion of every codec on {settings.example.tensor} "
        f"({settings.example.model}) and on the largest tensor of each other model. Between 3.5 "
        f"and 4.5 bits per weight {nearest.value} is nearest to the empirical bound of the first, "
        f"{gap.value:.3f} bits above it."
    )
