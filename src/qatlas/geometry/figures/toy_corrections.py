"""What affine maps leave of the error of a ReLU network."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import CLASS_COLOURS, INFERENCE_LABELS
from qatlas.plotting import FULL_WIDTH, new_figure
from qatlas.summary import Summary

_CALLED = {
    "none": "nothing",
    "bias": "bias",
    "diagonal": "diagonal",
    "full": "full",
    "region": "full a\nregion",
    "region_pair": "full a pair\nof regions",
}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Held-out points of the grid, by class."""
    rows = tables["toy_residuals"]
    return rows[(rows.inputs == "grid") & (rows.error_class != "all")]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a quantization, a pair of bars a correction."""
    names = list(drawn.quantization.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.5, 1, len(names), sharey=True)
    places = np.arange(len(_CALLED))
    for name, panel in zip(names, panels, strict=True):
        for side, (called, colour) in zip((-0.2, 0.2), CLASS_COLOURS.items(), strict=True):
            rows = drawn[(drawn.quantization == name) & (drawn.error_class == called)]
            left = rows.set_index("correction").rms.reindex(list(_CALLED))
            panel.bar(places + side, left, 0.38, color=colour, label=f"{called} error")
        panel.set_xticks(places, list(_CALLED.values()))
        panel.tick_params(axis="x", labelsize=6)
        panel.grid(visible=False, axis="x")
        panel.set(title=INFERENCE_LABELS[name], xlabel="correction")
    panels[0].set_ylabel("RMS of what is left")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    said = [
        f"{called}: {summary.written(f'correction.{name}.grid.full.all.recovered', '.0%')} by one "
        f"full map, {summary.written(f'correction.{name}.grid.region.all.recovered', '.0%')} by "
        "one a region"
        for name, called in INFERENCE_LABELS.items()
    ]
    return (
        "Output error of held-out points of the grid after affine maps fitted to the other half. "
        "Regions are those of the rounded network's sign patterns; pairs of regions are known to "
        f"the float network alone. Energy recovered, {'; '.join(said)}."
    )
