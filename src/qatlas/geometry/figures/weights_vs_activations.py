"""Errors after the last layer: integers for weights alone, or for activations too."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_COLOURS, INFERENCE_LABELS
from qatlas.geometry.findings.numbers import inference_bits
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Errors after the last layer at the middle one of the widths."""
    rows = tables["fake_quantization"]
    widths = sorted(rows.bits.unique())
    here = (rows.layer == rows.layer.max()) & (rows.bits == widths[len(widths) // 2])
    return rows[here]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a set."""
    figure, panels = new_figure(FULL_WIDTH, 3.5, 2, 4, sharex=True, sharey=True)
    sets = drawn.groupby("manifold", sort=False)
    for panel, (name, rows) in zip(panels, sets, strict=False):
        for quantized in reversed(INFERENCE_COLOURS):
            found = rows[rows.quantized == quantized]
            panel.plot(
                found.error_x,
                found.error_y,
                ".",
                markersize=2.6,
                color=INFERENCE_COLOURS[quantized],
                label=INFERENCE_LABELS[quantized],
            )
        panel.set_title(readable(str(name)))
        panel.set_aspect("equal")
    panels[3].tick_params(labelbottom=True)
    panels[7].axis("off")
    handles, labels = panels[0].get_legend_handles_labels()
    bits = f"{drawn.bits.iloc[0]} bits: integers for"
    panels[7].legend(handles, labels, loc="center", title=bits, title_fontsize=7, markerscale=3)
    figure.supxlabel("error of the first output", fontsize=8)
    figure.supylabel("error of the second", fontsize=8)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    said = [
        f"at {bits} bits {found.value:.1f}"
        for bits in inference_bits(summary)
        if (found := summary.claims[f"fake_quantization.{bits}bit.activations_add_error"]).value
    ]
    return (
        "Error of the output of full layers in integer inference with one scale a matrix. With "
        "integers for weights alone the error is a linear map of the input; those of activations "
        "scatter it. Mean error with integers for activations too over that without, smallest "
        f"ratio of all sets: {', '.join(said)}."
    )
