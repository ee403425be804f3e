"""Methods of about four bits, side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from qatlas.bounds.gaussian import rate_bits
from qatlas.config.function import Function
from qatlas.function.first_seed import of_first_seed
from qatlas.plotting import FULL_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary

_BITS = 4
_COLUMNS = {
    "nmse": ("MSE / variance", "log"),
    "variance_to_mse_db": ("var / MSE (dB)", "linear"),
    "rate_bits_per_weight": ("true rate (bits)", "linear"),
    "gap_shannon_bits": ("to Shannon (bits)", "linear"),
    "logits_mse": ("logits MSE", "log"),
}


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Methods of nominally four bits, the one with least logits error (mean of logs) last."""
    rows = of_first_seed(tables["evaluations"])
    rows = rows[(rows.nominal_bits == _BITS) & (rows.codec != "cast")]
    rows = rows.assign(
        gap_shannon_bits=rows.rate_bits_per_weight - rate_bits(rows.nmse.to_numpy()),
        variance_to_mse_db=-10 * np.log10(rows.nmse),
    )
    order = np.log(rows.logits_mse).groupby(rows.series).mean().sort_values(ascending=False)
    place = {name: number for number, name in enumerate(order.index)}
    rows = rows.sort_values(["model", "series"], key=lambda c: c.map(place).fillna(0))
    return rows[["model", "codec", "series", *_COLUMNS]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A row a method, a column a quantity, a colour a model."""
    names = list(dict.fromkeys(drawn.series))
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 1.0 + 0.17 * len(names), 1, len(_COLUMNS), sharey=True)
    colours = named_colours(drawn.model)
    for (column, (label, scale)), panel in zip(_COLUMNS.items(), panels, strict=True):
        for place, model in enumerate(models):
            rows = drawn[drawn.model == model]
            panel.plot(
                rows[column],
                rows.series.map(names.index) + 0.22 * (place - (len(models) - 1) / 2),
                linestyle="none",
                marker="osD^v"[place % 5],
                color=colours[model],
                label=readable(model),
            )
        panel.set_xscale(scale)
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_xlabel(label, fontsize=7)
        panel.set_yticks(range(len(names)), [readable(name) for name in names])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(models))
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    return (
        "Methods that call themselves four bits, by what they do to the logits (least at the "
        "top): error of the weights, what they really take, how far that is from the Gaussian "
        "Shannon bound, and the error of the logits."
    )
