"""Perplexity of quantized language models against their true rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.function.curves import draw_curves, select_curves
from qatlas.summary import Summary

WORST = 5
"""Perplexities beyond so many times the model's own are off the top."""


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """All points of the first training of each model."""
    return select_curves(tables)


def draw(drawn: pd.DataFrame) -> Figure:
    """Perplexity on a log scale, a panel a model."""
    figure, panels = draw_curves(drawn, "perplexity", "perplexity")
    itself = drawn[drawn.series == "float32"].perplexity
    panels[0].set_ylim(0.95 * itself.min(), WORST * itself.max())
    ticks = [t for t in (10, 20, 30, 50, 100, 200, 500, 1000, 2000) if t > 0.95 * itself.min()]
    shown = [t for t in ticks if t < WORST * itself.max()]
    panels[0].set_yticks(shown, [f"{tick:g}" for tick in shown])
    panels[0].minorticks_off()
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    itself = [
        f"{model}: {summary.written(f'{model}.reference.perplexity', '.1f')}"
        for model in settings.models
    ]
    return (
        f"Perplexity on {settings.tokens:,} tokens of the {settings.part} part with all linear "
        "layers quantized, against the bits that these really take: the best of each family (by "
        "KL to the model itself) with markers, all else pale. Dashed: the model itself "
        f"(mean over its trainings: {'; '.join(itself)})."
    )
