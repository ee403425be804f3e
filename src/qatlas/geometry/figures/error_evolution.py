"""Errors of integer inference after each layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_COLOURS, INFERENCE_LABELS
from qatlas.geometry.findings.numbers import inference_bits
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Errors after every layer at the largest of the widths."""
    rows = tables["fake_quantization"]
    return rows[rows.bits == rows.bits.max()]


def draw(drawn: pd.DataFrame) -> Figure:
    """A column a set, a row a layer, one scale for all."""
    sets, layers = list(dict.fromkeys(drawn.manifold)), sorted(drawn.layer.unique())
    figure, panels = new_figure(
        FULL_WIDTH, 0.9 + 0.95 * len(layers), len(layers), len(sets), sharex=True, sharey=True
    )
    for place, panel in enumerate(panels):
        layer, name = layers[place // len(sets)], sets[place % len(sets)]
        rows = drawn[(drawn.layer == layer) & (drawn.manifold == name)]
        for way in reversed(INFERENCE_COLOURS):
            found = rows[rows.quantized == way]
            panel.plot(
                found.error_x,
                found.error_y,
                ".",
                markersize=1.8,
                color=INFERENCE_COLOURS[way],
                label=INFERENCE_LABELS[way],
            )
        panel.set_aspect("equal")
        panel.locator_params(nbins=3)
        if place < len(sets):
            panel.set_title(readable(name))
    for layer, panel in zip(layers, panels[:: len(sets)], strict=True):
        panel.set_ylabel(f"layer {layer}")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        markerscale=4,
        title=f"integers of {drawn.bits.iloc[0]} bits for",
        title_fontsize=7,
    )
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    bits = inference_bits(summary)[-1]
    circles = [
        summary.written(f"fake_quantization.{way}.{bits}bit.circle.mean_error", ".3f")
        for way in INFERENCE_LABELS
    ]
    return (
        f"Errors of the values after each layer with integers of {bits} bits, as points of the "
        "plane of the two channels: for weights alone they are an image of the inputs, of "
        "activations they are scattered. Mean error of the circle by layer: "
        f"{circles[0]} for weights alone, {circles[1]} with activations."
    )
