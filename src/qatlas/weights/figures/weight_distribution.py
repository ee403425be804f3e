"""How the weights of each kind are spread, against a Gaussian of the same deviation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.plotting import BOUND, FULL_WIDTH, KIND_COLOURS, new_figure, readable
from qatlas.summary import Summary

_EDGE_SIGMA = 10


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean density over the tensors of each group of kinds, in units of each tensor's sigma.

    The outermost bins hold everything beyond them, so they are no densities and are left out.
    """
    rows = tables["densities"]
    rows = rows[(rows.bin_low_sigma > -_EDGE_SIGMA) & (rows.bin_high_sigma < _EDGE_SIGMA)]
    rows = rows.assign(
        group=rows.kind.str.partition("_")[0],
        density_per_sigma=rows.share / (rows.bin_high_sigma - rows.bin_low_sigma),
    )
    bins = ["model", "group", "bin_low_sigma", "bin_high_sigma"]
    return rows.groupby(bins, as_index=False, observed=True).density_per_sigma.mean()


def draw(drawn: pd.DataFrame) -> Figure:
    """Log density, a panel a model, those with most kinds first."""
    groups = drawn.groupby("model").group.nunique()
    models = sorted(groups.index, key=lambda model: (-groups[model], model))
    figure, axes = new_figure(
        FULL_WIDTH, 2.3 * -(-len(models) // 2), -(-len(models) // 2), 2, sharex=True, sharey=True
    )
    for model, panel in zip(models, axes, strict=False):
        for group, rows in drawn[drawn.model == model].groupby("group"):
            centre = (rows.bin_low_sigma + rows.bin_high_sigma) / 2
            density = rows.density_per_sigma.where(rows.density_per_sigma > 0)
            panel.plot(centre, density, color=KIND_COLOURS[str(group)], label=readable(str(group)))
        sigma = np.linspace(-_EDGE_SIGMA, _EDGE_SIGMA, 201)
        gaussian = np.exp(-(sigma**2) / 2) / np.sqrt(2 * np.pi)
        panel.plot(sigma, gaussian, label="Gaussian", **BOUND)
        panel.set(yscale="log", ylim=(1e-6, 2))
        panel.set_title(model)
        panel.legend()
    for unused in axes[len(models) :]:
        unused.remove()
    figure.supxlabel("(weight - mean) / sigma of its tensor", fontsize=8)
    figure.supylabel("density", fontsize=8)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    model = summary["heaviest_tail.model"].value
    return (
        "Density of the weights, each tensor in units of its own standard deviation, averaged "
        "over the tensors of a kind; dashed, the Gaussian of the same deviation. The heaviest "
        f"tail is that of {summary['heaviest_tail.tensor'].value} ({model}), with kurtosis "
        f"{summary['heaviest_tail.kurtosis'].value:.0f} and a weight "
        f"{summary['heaviest_tail.max_over_sigma'].value:.0f} deviations out."
    )
