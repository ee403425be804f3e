"""How often activations change their sign, beside the Gaussian law."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from qatlas.plotting import BOUND, FULL_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary

_SCOPES = {"alone": "one layer rounded", "model": "all layers rounded"}
_MARKERS = "osD^vP"


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Pre-activations of MLPs, or all linear layers of models without any."""
    rows = tables["layer_flips"]
    has_mlp = rows.groupby("model").activated.transform("any")
    columns = ["model", "tensor", "layer", "bits", "scope", "error_over_signal", "flip_rate", "law"]
    return rows[(rows.activated | ~has_mlp) & (rows.flip_rate > 0)][columns]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a scope, a point a layer and width."""
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(_SCOPES), sharex=True, sharey=True)
    colours = named_colours(drawn.model)
    widths = sorted(drawn.bits.unique())
    ratios = np.geomspace(drawn.error_over_signal.min(), drawn.error_over_signal.max(), 100)
    for (scope, called), panel in zip(_SCOPES.items(), panels, strict=True):
        panel.plot(ratios, np.arctan(ratios) / np.pi, **BOUND, label=r"$\arctan(s_e/s_z)/\pi$")
        of_scope = drawn[drawn.scope == scope]
        for model, of_model in of_scope.groupby("model"):
            for bits, marker in zip(widths, _MARKERS, strict=False):
                rows = of_model[of_model.bits == bits]
                panel.plot(
                    rows.error_over_signal,
                    rows.flip_rate,
                    linestyle="none",
                    marker=marker,
                    markersize=3.2,
                    markeredgewidth=0,
                    color=colours[str(model)],
                    alpha=0.75,
                    label=readable(str(model)) if bits == widths[0] else "_",
                )
        panel.set(xscale="log", yscale="log", title=called, xlabel="error over signal $s_e/s_z$")
        panel.xaxis.set_minor_formatter(NullFormatter())
    panels[0].set_ylabel("share of signs that change")
    known = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
    for bits, marker in zip(widths, _MARKERS, strict=False):
        (known[f"{bits} bits"],) = panels[0].plot(
            [], [], linestyle="none", marker=marker, markersize=3.2, color="0.4"
        )
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=5)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Share of pre-activations whose sign changes (layers before the activation of MLPs; all "
        "linear layers of models without MLPs) against their error, and the rate of Gaussian "
        "values about zero with an independent error. Values that are not about zero change their "
        "sign less or more often."
    )
