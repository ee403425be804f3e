"""How errors of integer inference grow from layer to layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qatlas.geometry.drawing import BITS_COLOURS, INFERENCE_LABELS
from qatlas.geometry.findings.numbers import inference_bits
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Over all sets of inputs: mean, smallest and largest of the mean error, and the largest."""
    rows = tables["error_growth"]
    return rows.groupby(["quantized", "bits", "layer"], as_index=False).agg(
        mean=("mean_error", "mean"),
        least=("mean_error", "min"),
        most=("mean_error", "max"),
        largest=("max_error", "max"),
    )


def draw(drawn: pd.DataFrame) -> Figure:
    """Both panels of one scale, a colour a number of bits."""
    figure, panels = new_figure(FULL_WIDTH, 2.6, 1, 2, sharey=True)
    for panel, (way, label) in zip(panels, INFERENCE_LABELS.items(), strict=True):
        rows = drawn[drawn.quantized == way]
        for colour, (bits, found) in zip(BITS_COLOURS, rows.groupby("bits"), strict=False):
            panel.fill_between(found.layer, found.least, found.most, color=colour, alpha=0.2, lw=0)
            panel.plot(found.layer, found["mean"], "o-", color=colour, label=f"{bits} bits: mean")
            panel.plot(
                found.layer, found.largest, "^:", color=colour, label=f"{bits} bits: largest"
            )
        panel.set(title=f"integers for {label}", xlabel="layer", yscale="log")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("length of the error")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    bits = inference_bits(summary)[0]
    grids = [
        summary.written(f"fake_quantization.{way}.{bits}bit.grid.rms_error", ".2f")
        for way in INFERENCE_LABELS
    ]
    return (
        "Length of the error after each layer: mean over inputs, averaged over the sets of inputs "
        "(bands: smallest to largest set), and the largest of all. Grid, RMS by layer at "
        f"{bits} bits: {grids[0]} for weights alone, {grids[1]} with activations."
    )
