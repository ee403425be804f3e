"""Effective dimension of the output errors of layers beside what predicts it."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import KIND_GROUPS, group_of_kind
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary

_PREDICTIONS = {
    "cell_participation": "from the steps of the weights alone",
    "predicted_participation": "from the steps and the inputs' covariance",
}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every layer at every width."""
    rows = tables["layer_spectra"]
    columns = ["model", "tensor", "bits", "participation", "entropy_dimension", *_PREDICTIONS]
    return rows[columns].assign(group=rows.kind.map(group_of_kind))


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a prediction, a point a layer and width; on the dashes it is right."""
    figure, panels = new_figure(FULL_WIDTH, 3.1, 1, len(_PREDICTIONS), sharex=True, sharey=True)
    ends = [1, 1.5 * drawn[[*_PREDICTIONS, "participation"]].max().max()]
    for (column, called), panel in zip(_PREDICTIONS.items(), panels, strict=True):
        panel.plot(ends, ends, **BOUND)
        for group, rows in drawn.groupby("group"):
            panel.plot(
                rows[column],
                rows.participation,
                linestyle="none",
                marker="o",
                markersize=2.4,
                color=KIND_GROUPS[group],
                alpha=0.6,
                markeredgewidth=0,
                label=group,
            )
        panel.set(xscale="log", yscale="log", title=f"predicted {called}")
        panel.set(xlabel="predicted dimension", xlim=ends, ylim=ends)
    panels[0].set_ylabel("measured dimension")
    panels[0].legend(loc="upper left")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Effective dimension (participation ratio) of the output error of every layer of every "
        "model over real inputs, against two predictions. Rounding by itself would fill as many "
        "dimensions as a layer has outputs; the error fills as few as the inputs vary in."
    )
