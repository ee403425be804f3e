"""Why the distance of activations misleads: what an affine map undoes of it, layer by layer."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_LABELS
from qatlas.plotting import COLUMN_WIDTH, new_figure
from qatlas.summary import Summary

_BARS = {"raw_rms": ("as they are", "#777777"), "aligned_rms": ("after an affine map", "#0072B2")}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Of held-out points of the grid, over the size of the float activations."""
    rows = tables["toy_alignments"].query("inputs == 'grid'")
    relative = {column: rows[column] / rows.scale for column in _BARS}
    return rows[["quantization", "layer", "cka"]].assign(**relative)


def draw(drawn: pd.DataFrame) -> Figure:
    """A pair of bars a layer and quantization."""
    figure, (panel,) = new_figure(COLUMN_WIDTH, 2.4)
    places = np.arange(len(drawn))
    for side, (column, (called, colour)) in zip((-0.2, 0.2), _BARS.items(), strict=True):
        panel.bar(places + side, drawn[column], 0.38, color=colour, label=called)
    last = drawn.layer.max()
    labels = [
        "\n".join(
            (
                "output" if row.layer == last else f"layer {row.layer}",
                *INFERENCE_LABELS[row.quantization].split(" and "),
            )
        )
        for row in drawn.itertuples()
    ]
    panel.set_xticks(places, labels)
    panel.tick_params(axis="x", labelsize=6)
    panel.grid(visible=False, axis="x")
    panel.set(ylabel="distance, relative to activations")
    panel.set_ylim(0, 1.3 * drawn.raw_rms.max())
    panel.legend(loc="upper left")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    parts = [
        f"{called} {summary.written(f'correction.{name}.grid.layer_1.cka', '.3f')}"
        for name, called in INFERENCE_LABELS.items()
    ]
    return (
        "RMS distance of quantized to float activations behind each layer, before and after the "
        "best full affine map, on held-out points. What the map undoes is no loss to the layers "
        "that follow if they may adapt; linear CKA behind the first layer, for comparison: "
        f"{', '.join(parts)}."
    )
