"""Where in a window of text quantized language models are wrong."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.function.first_seed import of_first_seed
from qatlas.plotting import FULL_WIDTH, GREY, new_figure, readable
from qatlas.summary import Summary

_BINS_PER_OCTAVE = 2
"""Single positions are means over few windows, and too noisy to be seen side by side."""


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Logits error of one codec at every rate and of bfloat16, mean over ranges of positions."""
    rows = of_first_seed(tables["positions"])
    rows = rows[rows.series.isin([settings.sensitivity.series, "bfloat16"])]
    octave = np.floor(_BINS_PER_OCTAVE * np.log2(rows.position)) / _BINS_PER_OCTAVE
    means = rows.assign(octave=octave).groupby(
        ["model", "series", "nominal_bits", "octave"], as_index=False
    )[["position", "logits_mse"]]
    return means.mean().drop(columns="octave")


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model, a line a rate: the fewer bits, the darker."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.8, 1, len(models), sharey=True)
    quantized = drawn[drawn.series != "bfloat16"]
    rates = sorted(quantized.nominal_bits.unique())
    shades = colormaps["viridis"](np.linspace(0, 0.85, len(rates)))
    for model, panel in zip(models, panels, strict=True):
        rows = drawn[drawn.model == model]
        for bits, shade in zip(rates, shades, strict=True):
            line = rows[(rows.nominal_bits == bits) & (rows.series != "bfloat16")]
            unit = "bit" if bits == 1 else "bits"
            panel.plot(line.position, line.logits_mse, color=shade, label=f"{bits:g} {unit}")
        floor = rows[rows.series == "bfloat16"]
        panel.plot(
            floor.position,
            floor.logits_mse,
            color=GREY,
            linestyle=(0, (1, 1.2)),
            label="computed in bfloat16",
        )
        panel.set(title=readable(model), xscale="log", yscale="log", xlabel="tokens of context")
    panels[0].set_ylabel("MSE of logits")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    return (
        "Mean squared difference of the logits to the float model's after so many tokens of "
        f"context, with all linear layers quantized by {readable(settings.sensitivity.series)}, a "
        "line for each rate; means over half octaves of positions. A line that rises says that "
        "errors add up along the text."
    )
