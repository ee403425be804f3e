"""How much a rotation lowers the error of a codec, by the kurtosis of the weights."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.plotting import (
    BOUND,
    FULL_WIDTH,
    GREY,
    blank_figure,
    new_figure,
    readable,
)
from qatlas.rate_distortion.drawing import kurtosis_axis
from qatlas.rate_distortion.findings.kurtosis import HEAVY_TAILED
from qatlas.rate_distortion.findings.rotation import rotation_pairs
from qatlas.summary import Summary

_SHADES = colormaps["viridis"]
_COLUMNS = 2


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Rotated points beside the same points of the codec that they wrap, on every tensor."""
    return rotation_pairs(tables["measurements"], tables["rotation"])


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a series; a point a tensor and bits, with all bits of a tensor on one line."""
    names = list(dict.fromkeys(drawn.series))
    if not names:
        return blank_figure(FULL_WIDTH, "No codec was measured both rotated and as it is.")
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure, axes = new_figure(FULL_WIDTH, 0.4 + 2.6 * rows, rows, columns, sharex=True, sharey=True)
    every = sorted(drawn.nominal_bits.unique())
    for name, panel in zip(names, axes, strict=False):
        series = drawn[drawn.series == name]
        spans = series.groupby(["model", "tensor"]).agg(
            kurtosis=("kurtosis", "first"), low=("gain_db", "min"), high=("gain_db", "max")
        )
        panel.vlines(
            spans["kurtosis"], spans.low, spans.high, color="0.85", linewidth=0.8, zorder=1
        )
        for bits, shade in zip(every, np.linspace(0.9, 0, len(every)), strict=True):
            points = series[series.nominal_bits == bits]
            panel.plot(
                points["kurtosis"],
                points.gain_db,
                linestyle="none",
                marker="o",
                color=_SHADES(shade),
                label=f"{bits:g} bits",
            )
        panel.axhline(0, label="no effect", **BOUND)
        panel.axvline(HEAVY_TAILED, color=GREY, linewidth=0.5, zorder=1)
        panel.set_title(readable(name))
    for panel in axes[: len(names)]:
        panel.set_xlim(drawn["kurtosis"].min() - 0.4, drawn["kurtosis"].max() * 1.3)
        kurtosis_axis(panel)
    for panel in axes[len(names) :]:
        panel.remove()
    for panel in axes[max(len(names) - columns, 0) : len(names)]:
        panel.set_xlabel("kurtosis")
        panel.tick_params(labelbottom=True)
    axes[0].set_ylabel("error lowered by (dB)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    light, heavy = (
        summary.written(f"rotation.{side}.median_gain_db", ".2f")
        for side in ("light_tailed", "heavy_tailed")
    )
    threshold = summary.written("kurtosis.heavy_tailed_above", "g")
    return (
        "Error of a codec over that of the same codec on weights mixed by a randomized Hadamard "
        "transform, for every tensor of all models against its kurtosis; above zero the rotation "
        f"helps. The median is {light} dB on tensors with a kurtosis up to {threshold} (grey) and "
        f"{heavy} dB above."
    )
