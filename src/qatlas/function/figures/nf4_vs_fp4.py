"""NF4 beside FP4: weights, rate and output."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.bounds.gaussian import rate_bits
from qatlas.config.function import Function
from qatlas.function.first_seed import of_first_seed
from qatlas.function.summary import FP4, NF4
from qatlas.plotting import FULL_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary

_QUANTITIES = {
    "nmse": "weight error / variance",
    "variance_to_mse_db": "var / MSE (dB)",
    "gap_shannon_bits": "gap to Shannon (bits)",
    "mean_kl": "mean KL (nats)",
}


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Both series of each model; no rows where the study lacks one of them."""
    rows = of_first_seed(tables["evaluations"])
    rows = rows[rows.series.isin([NF4, FP4])]
    rows = rows.assign(
        gap_shannon_bits=rows.rate_bits_per_weight - rate_bits(rows.nmse.to_numpy()),
        variance_to_mse_db=-10 * np.log10(rows.nmse),
    )
    return rows[["model", "series", *_QUANTITIES]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a quantity, a pair of bars a model."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.2, 1, len(_QUANTITIES))
    colours = named_colours(pd.Series([NF4, FP4]))
    for (column, label), panel in zip(_QUANTITIES.items(), panels, strict=True):
        for side, series in ((-0.2, NF4), (0.2, FP4)):
            rows = drawn[drawn.series == series].set_index("model").reindex(models)
            places = np.arange(len(models)) + side
            panel.bar(places, rows[column], 0.38, color=colours[series], label=readable(series))
        panel.set_xticks(range(len(models)), [readable(model) for model in models], rotation=90)
        panel.set_ylabel(label)
        panel.grid(visible=False, axis="x")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    less = []
    for model in settings.models:
        value = summary.claims[f"{model}.nf4_beats_fp4"].value
        less.append(f"{model}: {'not measured' if value is None else f'{value:.0f} %'}")
    return (
        "NF4 and FP4 (the table of bitsandbytes) with the same blocks and scales on all linear "
        f"layers. NF4 has less KL to the float model by: {'; '.join(less)}."
    )
