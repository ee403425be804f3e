"""Bits that each codec spends beyond the Gaussian Shannon bound, against its true rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config import RateDistortion
from qatlas.rate_distortion.curves import draw_panels, select_curves
from qatlas.summary import Summary

_HIGHEST_GAP = 3.0


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Curves of one tensor of each model."""
    return select_curves(tables, settings)


def draw(drawn: pd.DataFrame) -> Figure:
    """Gap in bits; the Gaussian Shannon bound is the line at zero."""
    figure, panels = draw_panels(drawn, "gap_shannon_bits", 6.4)
    measured = drawn[drawn.codec != "limit"]
    limits = drawn[drawn.codec == "limit"]
    panels[0].set(
        xlim=(0, measured.rate_bits_per_weight.max() + 0.2),
        ylim=(min(limits.gap_shannon_bits.min() * 1.1, -0.2), _HIGHEST_GAP),
    )
    figure.supylabel("gap to the Gaussian Shannon bound (bits per weight)", fontsize=8)
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    gap = summary["example.4bit.nearest_gap_shannon_bits"]
    return (
        "Rate of every codec minus the rate at which a Gaussian source of the same variance could "
        f"have the same error; gaps above {_HIGHEST_GAP:g} bits are not shown. A source that is "
        "not Gaussian has limits below zero. The codec nearest to the empirical bound between 3.5 "
        f"and 4.5 bits on {settings.example.tensor} is {gap.value:.3f} bits from Shannon's."
    )
