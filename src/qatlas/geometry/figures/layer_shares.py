"""How much of the error inside MLPs is topological."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import FULL_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary

_PANELS = {
    "units": "units that change their sign",
    "hidden": "their share of the hidden error",
    "output": "their share behind the MLP",
}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every MLP at every width."""
    return tables["layer_shares"][["model", "layer", "bits", *_PANELS]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a share; a line is a model's mean over its MLPs, thin lines the MLPs."""
    figure, panels = new_figure(FULL_WIDTH, 2.5, 1, len(_PANELS), sharex=True)
    colours = named_colours(drawn.model)
    for (column, called), panel in zip(_PANELS.items(), panels, strict=True):
        for model, rows in drawn.groupby("model"):
            colour = colours[str(model)]
            for _, line in rows.groupby("layer"):
                panel.plot(line.bits, 100 * line[column], color=colour, linewidth=0.5, alpha=0.4)
            mean = 100 * rows.groupby("bits")[column].mean()
            label = readable(str(model))
            panel.plot(mean.index, mean, color=colour, linewidth=1.6, marker="o", label=label)
        panel.set(yscale="log", title=called, xlabel="bits")
        panel.set_xticks(sorted(drawn.bits.unique()))
    panels[0].set_ylabel("percent")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Units of MLPs whose pre-activation changes its sign when all linear layers are rounded, "
        "their share of the energy of the hidden error, and of the error that the layer behind "
        "makes of it. Thin: each MLP; thick: the mean of a model's. Models without an MLP are not "
        "shown."
    )
