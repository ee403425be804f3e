"""Worst over RMS of output errors in random directions, beside the laws of random generators."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from qatlas.plotting import BOUND, FULL_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary

_PANELS = {
    "inputs": r"inputs rounded: $\sqrt{6p/\pi}$",
    "weights": r"weights rounded: $\sqrt{12p}/\pi$",
}


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every layer."""
    columns = ["model", "tensor", "source", "generators", "ratio", "lowest", "highest", "law"]
    return tables["layer_supports"][columns]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a source; a point is a layer, its bar the range over directions."""
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(_PANELS))
    colours = named_colours(drawn.model)
    for (source, called), panel in zip(_PANELS.items(), panels, strict=True):
        of_source = drawn[drawn.source == source].sort_values("generators")
        panel.plot(of_source.generators, of_source.law, **BOUND, label="law")
        for place, (model, rows) in enumerate(of_source.groupby("model")):
            # Models have layers of the same size, which would hide each other.
            aside = 1.04 ** (place - 1.5)
            panel.errorbar(
                rows.generators * aside,
                rows.ratio,
                yerr=[rows.ratio - rows.lowest, rows.highest - rows.ratio],
                linestyle="none",
                marker="o",
                markersize=2.6,
                elinewidth=0.4,
                color=colours[str(model)],
                label=readable(str(model)),
            )
        panel.set(xscale="log", yscale="log", title=called, xlabel="generators p")
        sides = (
            (panel.xaxis, of_source.generators),
            (panel.yaxis, of_source[["lowest", "highest"]]),
        )
        for axis, found in sides:
            ticks = _ticks_within(float(np.min(found)), float(np.max(found)))
            axis.set_ticks(ticks, [f"{tick:,g}" for tick in ticks])
            axis.set_minor_locator(NullLocator())
    panels[0].set_ylabel("worst over RMS")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Support of the region of output errors over the RMS error, in random directions, for "
        "every layer (range over directions). Left: inputs rounded to a grid, through float "
        "weights. Right: weights rounded, at real inputs. Dashes: what Gaussian generators would "
        "give. Inputs with outliers make the worst case less exceptional than that."
    )


def _ticks_within(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from half of low to twice high; of many, the powers alone."""
    scales = 10.0 ** np.arange(-2, 9)
    found = [s * m for s in scales for m in (1, 2, 5) if low / 1.5 <= s * m <= high * 1.5]
    return found if len(found) <= 6 else [t for t in found if t in scales]
