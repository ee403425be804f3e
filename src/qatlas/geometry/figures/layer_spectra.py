"""Spectra of the output errors of layers beside those of drawn weights."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import KIND_GROUPS, group_of_kind
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Median over the layers of a group of each model, at every rank that all of them have."""
    rows = tables["layer_eigenvalues"]
    rows = rows.assign(group=rows.kind.map(group_of_kind))
    key = ["model", "group", "rank"]
    layers = rows.groupby(key[:2]).tensor.transform("nunique")
    of_all = rows[rows.groupby(key).tensor.transform("nunique") == layers]
    return of_all.groupby(key, as_index=False)[["measured", "drawn"]].median()


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model: eigenvalues over their sum, those of drawn weights in black dots."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.6, 1, len(models), sharey=True)
    for model, panel in zip(models, panels, strict=True):
        for group, rows in drawn[drawn.model == model].groupby("group"):
            style = KIND_GROUPS[group]
            panel.plot(rows["rank"], rows.measured, color=style, linewidth=1.6, label=group)
            panel.plot(
                rows["rank"], rows.drawn, color="black", linestyle=(0, (1, 1.6)), linewidth=1.0
            )
        panel.set(xscale="log", yscale="log", title=readable(model), xlabel="rank")
        panel.set_ylim(1e-5, 1)
    panels[0].set_ylabel("eigenvalue over their sum")
    handles = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    handles["weights drawn from the rounding cell"] = panels[0].lines[1]
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Eigenvalues of the covariance of layers' output errors over real inputs, each layer "
        "rounded alone; medians over layers. Errors of weights drawn at random from the rounding "
        "cells have the same spectrum: it is that of the inputs."
    )
