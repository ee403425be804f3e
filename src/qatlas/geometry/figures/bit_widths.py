"""The output of a circle of inputs at several numbers of bits."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_COLOURS, INFERENCE_LABELS
from qatlas.geometry.findings.numbers import inference_bits
from qatlas.plotting import FULL_WIDTH, GREY, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Outputs of the circle, and the exact ones."""
    rows = tables["fake_quantization"]
    here = rows[(rows.manifold == "circle") & (rows.layer == rows.layer.max())]
    return here.assign(
        exact_x=here.value_x - here.error_x, exact_y=here.value_y - here.error_y
    ).drop(columns=["manifold", "layer"])


def draw(drawn: pd.DataFrame) -> Figure:
    """A column a number of bits, a row a way; the line is the exact output."""
    widths = sorted(drawn.bits.unique())
    ways = list(INFERENCE_LABELS)
    figure, panels = new_figure(FULL_WIDTH, 4.4, len(ways), len(widths), sharex=True, sharey=True)
    for place, panel in enumerate(panels):
        way, bits = ways[place // len(widths)], widths[place % len(widths)]
        rows = drawn[(drawn.quantized == way) & (drawn.bits == bits)].sort_values("point")
        around = [*rows.index, rows.index[0]]
        panel.plot(rows.exact_x[around], rows.exact_y[around], color=GREY, linewidth=0.8)
        panel.plot(rows.value_x, rows.value_y, ".", color=INFERENCE_COLOURS[way], markersize=3)
        panel.set_aspect("equal")
        if place < len(widths):
            panel.set_title(f"{bits} bits")
    for way, panel in zip(ways, panels[:: len(widths)], strict=True):
        panel.set_ylabel(f"{INFERENCE_LABELS[way]}\nsecond output")
    for panel in panels[-len(widths) :]:
        panel.set_xlabel("first output")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    name = "fake_quantization.weights_and_activations.{}bit.circle.max_error"
    said = [
        f"{bits} bits: {summary.written(name.format(bits), '.2f')}"
        for bits in inference_bits(summary)
    ]
    return (
        "Outputs of full layers for inputs on a circle (line: exact; points: integer inference). "
        f"Largest error after each layer with integers for weights and activations: "
        f"{'; '.join(said)}."
    )
