"""What corrections of layers leave of a ReLU network's output error."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import INFERENCE_LABELS
from qatlas.plotting import FULL_WIDTH, named_colours, new_figure
from qatlas.summary import Summary

_CALLED = {"exact": "exact", "first_order": "first order", "linearised": "from the float pass"}
_CORRECTED = {"none": "none", "first": "first", "last": "last", "all": "all"}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Error of the network's output, by what is corrected and how."""
    rows = tables["toy_cascades"]
    return rows[rows.layer == rows.layer.max()]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a quantization; errors that are zero but for rounding have no bar."""
    names = list(drawn.quantization.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.4, 1, len(names), sharey=True)
    colours = named_colours(_CALLED)
    places = np.arange(len(_CORRECTED))
    for name, panel in zip(names, panels, strict=True):
        for number, (correction, called) in enumerate(_CALLED.items()):
            rows = drawn[(drawn.quantization == name) & (drawn.correction == correction)]
            left = rows.set_index("corrected").after_rms.reindex(list(_CORRECTED))
            side = 0.27 * (number - 1)
            panel.bar(places + side, left, 0.25, color=colours[correction], label=called)
            for place, value in zip(places, left, strict=True):
                if value < 1e-10:
                    panel.annotate("0", (place + side, 0), ha="center", va="bottom", fontsize=6)
        panel.set_xticks(places, list(_CORRECTED.values()))
        panel.grid(visible=False, axis="x")
        panel.set(title=INFERENCE_LABELS[name], xlabel="layers corrected")
    panels[0].set_ylabel("RMS error of the output")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(_CALLED)
    )
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    said = [
        f"{called} {summary.written(f'correction.{name}.cascade.linearised.all.rms', '.3f')} of "
        f"{summary.written(f'correction.{name}.cascade.linearised.none.rms', '.3f')}"
        for name, called in INFERENCE_LABELS.items()
    ]
    return (
        "Error of the output after layers were corrected by C = -E a_hat - W eps: exactly, with "
        "the float a in place of a_hat, and with eps from the float pass as well. What the last "
        f"leaves when all layers are corrected: {'; '.join(said)}."
    )
