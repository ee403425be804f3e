"""How far the predictions of quantized language models are from their own, against true rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.function.curves import draw_curves, select_curves
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """All points of the first training of each model."""
    return select_curves(tables)


def draw(drawn: pd.DataFrame) -> Figure:
    """Mean KL on a log scale, a panel a model."""
    figure, _ = draw_curves(drawn, "mean_kl", "mean KL to the float model (nats per token)")
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    floors = [
        f"{model}: {summary.written(f'{model}.noise_floor.mean_kl', '.1e')}"
        for model in settings.models
    ]
    return (
        "Mean KL divergence of the predicted distributions from those of the float model, with "
        "all linear layers quantized, against the bits that these really take. Dotted: what "
        f"computing in bfloat16 alone does (nats, {'; '.join(floors)}); nothing below it matters."
    )
