"""Bits that each codec spends beyond the Gaussian Shannon bound, against its true rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.bounds.high_rate import entropy_coded_gap_bits, fixed_rate_gap_bits
from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import INTERVALS
from qatlas.rate_distortion.curves import draw_panels, select_curves
from qatlas.rate_distortion.drawing import draw_guide
from qatlas.summary import Summary

_HIGHEST_GAP = 3.0
_FIXED_RATE = "Panter-Dite"
_ENTROPY_CODED = "entropy-coded scalar"


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
    for panel in panels:
        first = panel is panels[0]
        draw_guide(panel, fixed_rate_gap_bits(1), _FIXED_RATE if first else "")
        draw_guide(panel, entropy_coded_gap_bits(1), _ENTROPY_CODED if first else "")
    figure.supylabel("gap to the Gaussian Shannon bound (bits per weight)", fontsize=8)
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    lowest, highest = summary.written("window.4bit.low"), summary.written("window.4bit.high")
    gap = summary.written("example.4bit.nearest_gap_shannon_bits", ".3f")
    return (
        "Rate of every codec minus the rate at which a Gaussian source of the same variance could "
        "have the same error: the best of each family, and all else pale; gaps above "
        f"{_HIGHEST_GAP:g} bits are not shown. {INTERVALS} A source that is not Gaussian has "
        "limits below zero. Grey lines: what scalar quantizers of a Gaussian reach at high rate, "
        f"{fixed_rate_gap_bits(1):.2f} bits with codes of one length and "
        f"{entropy_coded_gap_bits(1):.2f} entropy-coded. The codec nearest to the empirical bound "
        f"between {lowest} and {highest} bits on {settings.example.tensor} is {gap} bits from "
        "Shannon's."
    )
