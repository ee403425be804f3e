"""Bits that each codec spends beyond the empirical bound, averaged over all tensors of a model."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.bounds.high_rate import entropy_coded_gap_bits
from qatlas.config.rate_distortion import RateDistortion
from qatlas.envelopes import with_best
from qatlas.family_curves import draw_families, draw_legend, panels_of_models
from qatlas.plotting import BOUND, readable
from qatlas.rate_distortion.averages import mean_points
from qatlas.rate_distortion.drawing import draw_guide
from qatlas.rate_distortion.operating_points import BITS
from qatlas.summary import Summary

HIGHEST_GAP = 1.6


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Points averaged over the tensors of each model, the example's first."""
    points = with_best(mean_points(tables["measurements"], ["model"]), ["model"])
    others = sorted(set(points.model) - {settings.example.model})
    place = {model: place for place, model in enumerate([settings.example.model, *others])}
    return points.sort_values("model", key=lambda models: models.map(place), kind="stable")


def draw(drawn: pd.DataFrame) -> Figure:
    """Gap in bits, a panel a model; the empirical bound is the line at zero."""
    models = drawn.model.unique()
    figure, panels = panels_of_models(models, 3.2 * -(-len(models) // 2))
    for model, panel in zip(models, panels, strict=True):
        points = drawn[drawn.model == model]
        tensors = int(points.tensors.max())
        panel.set_title(model if tensors == 1 else f"{model}, mean over {tensors} tensors")
        draw_families(panel, points, "gap_empirical_bits")
        panel.axhline(0, label="empirical bound", **BOUND)
        first = panel is panels[0]
        draw_guide(panel, entropy_coded_gap_bits(1), "entropy-coded scalar" if first else "")
    lowest = min(drawn[drawn.best].gap_empirical_bits.min(), 0)
    panels[0].set(
        xlim=(0, drawn.rate_bits_per_weight.max() + 0.2), ylim=(lowest - 0.1, HIGHEST_GAP)
    )
    figure.supylabel("gap to the empirical bound (bits per weight)", fontsize=8)
    draw_legend(figure, panels, 4)
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    model = settings.example.model
    nearest = "; ".join(
        f"at {bits} bits {readable(summary.written(f'{model}.{bits}bit.nearest_to_empirical'))} "
        f"({summary.written(f'{model}.{bits}bit.nearest_gap_empirical_bits', '.3f')} bits)"
        for bits in BITS
        if f"{model}.{bits}bit.nearest_to_empirical" in summary.values
    )
    return (
        "Rate of every codec minus the empirical bound of each tensor at its error, averaged over "
        "all weights of a model: the best of each family, and all else pale; gaps above "
        f"{HIGHEST_GAP:g} bits are not shown. Grey: {entropy_coded_gap_bits(1):.2f} bits, the "
        "high-rate limit of entropy-coded scalar quantization. Nearest to the bound on "
        f"{model}: {nearest or 'not measured'}."
    )
