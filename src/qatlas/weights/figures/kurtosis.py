"""Kurtosis of every tensor by layer and kind."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import BOUND, FULL_WIDTH, new_figure, plot_by_layer
from qatlas.summary import Summary

_GAUSSIAN = 3


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tensors of the models that have layers."""
    rows = tables["statistics"].dropna(subset=["kurtosis"])
    layered = rows.groupby("model").layer.transform("count") > 0
    return rows[layered][["model", "tensor", "kind", "layer", "kurtosis", "max_over_sigma"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """Kurtosis on a log scale, a panel a model."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.6 * max(len(models), 1), max(len(models), 1))
    for model, panel in zip(models, panels, strict=False):
        plot_by_layer(panel, drawn[drawn.model == model], "kurtosis")
        panel.axhline(_GAUSSIAN, label="Gaussian", **BOUND)
        panel.set(title=model, ylabel="kurtosis")
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    claim = summary.claims["trained_weights_have_heavier_tails_than_gaussian"]
    share = "not measured" if claim.value is None else f"{100 * claim.value:.0f} %"
    return (
        "Kurtosis of every matrix by layer and kind; a Gaussian has 3 (dashed). Share of trained "
        f"matrices above 3: {share}."
    )
