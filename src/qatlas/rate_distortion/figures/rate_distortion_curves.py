"""Normalised error against true rate, all codecs, with the limits."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import INTERVALS
from qatlas.plotting import readable
from qatlas.rate_distortion.curves import draw_panels, select_curves
from qatlas.rate_distortion.drawing import NMSE
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
    figure.supylabel(NMSE, fontsize=8)
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    lowest, highest = summary.written("window.4bit.low"), summary.written("window.4bit.high")
    nearest = readable(summary.written("example.4bit.nearest_to_empirical"))
    gap = summary.written("example.4bit.nearest_gap_empirical_bits", ".3f")
    return (
        f"Rate and distortion of every codec on {settings.example.tensor} "
        f"({settings.example.model}) and on the largest tensor of each other model: the best of "
        f"each family, and all else pale. {INTERVALS} Between {lowest} and {highest} bits per "
        f"weight {nearest} is nearest to the empirical bound of the first, {gap} bits from it."
    )
