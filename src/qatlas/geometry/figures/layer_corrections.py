"""What affine corrections recover of the output errors of layers on held-out tokens."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary

_CALLED = {
    "bias": "bias",
    "diagonal": "diagonal",
    "clusters_bias": "bias a cluster",
    "clusters_diagonal": "diagonal a cluster",
    "ridge": "full, ridge",
    "full": "full",
}
_SCOPES = {"alone": "one layer rounded", "model": "all layers rounded"}
_LOWEST = -0.75
_COLOURS = {"held_out": "#0072B2", "fitted": "#BBBBBB"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Of each model and correction the median over layers, and the quartiles."""
    rows = tables["layer_corrections"]
    groups = rows.groupby(["model", "scope", "correction"])
    parts = {
        f"{column}_{name}": groups[column].quantile(share)
        for column in _COLOURS
        for name, share in (("low", 0.25), ("median", 0.5), ("high", 0.75))
    }
    return pd.DataFrame(parts).reset_index()


def draw(drawn: pd.DataFrame) -> Figure:
    """A row a scope, a panel a model; what harms on held-out tokens goes to the left of zero."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(
        FULL_WIDTH, 3.6, len(_SCOPES), len(models), sharex=True, sharey=True
    )
    places = np.arange(len(_CALLED))[::-1]
    for number, panel in enumerate(panels):
        scope, model = list(_SCOPES)[number // len(models)], models[number % len(models)]
        rows = drawn[(drawn.model == model) & (drawn.scope == scope)].set_index("correction")
        rows = rows.reindex(list(_CALLED))
        for column, (aside, called) in {
            "fitted": (0.14, "on tokens fitted to"),
            "held_out": (-0.14, "on held-out tokens"),
        }.items():
            middle = rows[f"{column}_median"]
            panel.errorbar(
                middle.clip(lower=_LOWEST),
                places + aside,
                xerr=[
                    (middle - rows[f"{column}_low"].clip(lower=_LOWEST)).clip(lower=0),
                    (rows[f"{column}_high"] - middle).clip(lower=0),
                ],
                linestyle="none",
                marker="o",
                color=_COLOURS[column],
                elinewidth=1.2,
                label=called,
            )
        for place, value in zip(places, rows.held_out_median, strict=True):
            if value < _LOWEST:
                panel.annotate(f"← {value:.1f}", (_LOWEST, place + 0.12), fontsize=6)
        panel.axvline(0, color="0.5", linewidth=0.6)
        panel.set_xlim(_LOWEST - 0.05, 1.08)
        panel.set_yticks(places, list(_CALLED.values()))
        if number < len(models):
            panel.set_title(readable(model))
        if number % len(models) == 0:
            panel.set_ylabel(_SCOPES[scope])
    figure.supxlabel("share of the error's energy that is recovered", fontsize=8)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Energy of layers' output errors that affine maps recover, fitted by least squares on half "
        "of the tokens: medians and quartiles over layers. Where one layer is rounded and has no "
        "fewer outputs than inputs, a full map recovers everything. Where all are, it can fit "
        "chance: what it gains on its own half it loses on the other."
    )
