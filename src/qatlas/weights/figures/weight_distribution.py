"""How the weights of each kind are spread, against a Gaussian of the same deviation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import BOUND, FULL_WIDTH, KIND_COLOURS, new_figure, readable
from qatlas.summary import Summary

_EDGE_SIGMA = 10
_BINS_JOINED = 2


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Density of the weights of each group of kinds, in units of each tensor's sigma.

    The outermost bins hold everything beyond them, so they are no densities and are left out.
    """
    weights = tables["statistics"][["model", "tensor", "weights"]]
    rows = tables["densities"].merge(weights, on=["model", "tensor"])
    width = _BINS_JOINED * (rows.bin_high_sigma - rows.bin_low_sigma).median()
    rows = rows.assign(
        group=rows.kind.str.partition("_")[0],
        bin=np.floor((rows.bin_low_sigma + rows.bin_high_sigma) / 2 / width),
        found=rows.share * rows.weights,
    )
    counts = rows.groupby(["model", "group", "bin"], as_index=False).found.sum()
    total = counts.groupby(["model", "group"]).found.transform("sum")
    drawn = counts.assign(
        centre_sigma=(counts.bin + 0.5) * width, density_per_sigma=counts.found / total / width
    )
    inside = drawn.centre_sigma.abs() < _EDGE_SIGMA - width
    return drawn[inside][["model", "group", "centre_sigma", "density_per_sigma"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """Log density, a panel a model, those with most kinds first."""
    groups = drawn.groupby("model").group.nunique()
    models = sorted(groups.index, key=lambda model: (-groups[model], model))
    rows = -(-len(models) // 2)
    figure, panels = new_figure(FULL_WIDTH, 2.1 * rows, rows, 2, sharex=True, sharey=True)
    sigma = np.linspace(-_EDGE_SIGMA, _EDGE_SIGMA, 201)
    gaussian = np.exp(-(sigma**2) / 2) / np.sqrt(2 * np.pi)
    for model, panel in zip(models, panels, strict=False):
        for group, curve in drawn[drawn.model == model].groupby("group"):
            label = readable(str(group)) if groups[model] > 1 else "weights"
            density = curve.density_per_sigma.where(curve.density_per_sigma > 0)
            panel.plot(curve.centre_sigma, density, color=KIND_COLOURS[str(group)], label=label)
        panel.plot(sigma, gaussian, label="Gaussian", **BOUND)
        panel.set(yscale="log", ylim=(1e-7, 2), title=model)
        panel.legend(loc="upper left", handlelength=1.6)
    for unused in panels[len(models) :]:
        unused.remove()
    figure.supxlabel("(weight - mean) / sigma of its tensor", fontsize=8)
    figure.supylabel("density", fontsize=8)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    model = summary["heaviest_tail.model"].value
    return (
        "Density of the weights of each kind, every tensor in units of its own standard "
        "deviation; dashed, the Gaussian of the same deviation. The heaviest "
        f"tail is that of {summary['heaviest_tail.tensor'].value} ({model}), with kurtosis "
        f"{summary['heaviest_tail.kurtosis'].value:.0f} and a weight "
        f"{summary['heaviest_tail.max_over_sigma'].value:.0f} deviations out."
    )
