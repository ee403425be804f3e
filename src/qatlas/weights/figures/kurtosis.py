"""Kurtosis of every tensor by layer and kind."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import BOUND, FULL_WIDTH, KIND_COLOURS, new_figure, readable
from qatlas.summary import Summary

_GAUSSIAN = 3
_MARKERS = "osD^vP*Xh"


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tensors of the models that have layers."""
    rows = tables["statistics"].dropna(subset=["kurtosis"])
    layered = rows.groupby("model").layer.transform("count") > 0
    return rows[layered][["model", "tensor", "kind", "layer", "kurtosis", "max_over_sigma"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """Kurtosis on a log scale, a panel a model."""
    models = sorted(drawn.model.unique())
    figure, axes = new_figure(FULL_WIDTH, 2.6 * max(len(models), 1), max(len(models), 1))
    for model, panel in zip(models, axes, strict=False):
        rows = drawn[drawn.model == model]
        for marker, (kind, points) in zip(_MARKERS, rows.groupby("kind"), strict=False):
            # Tensors outside the stack of layers, such as embeddings, stand to the left of it.
            panel.plot(
                points.layer.fillna(-1),
                points["kurtosis"],
                linestyle="none",
                marker=marker,
                color=KIND_COLOURS[str(kind).partition("_")[0]],
                label=readable(str(kind)),
            )
        panel.axhline(_GAUSSIAN, label="Gaussian", **BOUND)
        layers = [int(layer) for layer in sorted(rows.layer.dropna().unique())]
        panel.set_xticks([-1, *layers], ["none", *map(str, layers)])
        panel.set(yscale="log", xlabel="layer", ylabel="kurtosis")
        panel.set_title(model)
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
