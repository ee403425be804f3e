"""How curves, limits and values of perplexity against precision are drawn."""

import math
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from qatlas.function.robustness.names import TITLES, model_key, models_in_order, precision_name
from qatlas.function.robustness.scale import Scale

MARKED_BITS = 4
"""Bits at which a star or a cross says whether a model may be deployed."""

REGION: dict[str, Any] = {"color": "#009E73", "alpha": 0.09, "linewidth": 0, "zorder": 0}
THRESHOLD: dict[str, Any] = {
    "color": "black",
    "linestyle": (0, (4, 2)),
    "linewidth": 0.9,
    "zorder": 1,
}
MARKS: dict[bool, dict[str, Any]] = {
    True: {"marker": "*", "markersize": 9},
    False: {"marker": "X", "markersize": 6.5},
}
"""How a model is marked by whether it may be deployed."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#8B5A2B")
_LINE_MARKERS = "os^DvP<>"
_SIGNS = dict(zip(_LINE_MARKERS, "●■▲◆▼✚◀▶", strict=True))
_LINE_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)))
_DODGE = 0.07
ARROW_POINTS = 11.0
"""Length of the arrow at a point that is off the axis."""


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """A colour a model, in their order; models with titles have the same one in all figures."""
    known = [model_key(model) for model in TITLES]
    others = cycle(_COLOURS[len(known) :])
    return {
        model: _COLOURS[known.index(model_key(model))]
        if model_key(model) in known
        else next(others)
        for model in models_in_order(models)
    }


def line_styles(lines: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Dashes and marker of every line; the first is solid."""
    return {
        line: {
            "linestyle": _LINE_DASHES[place % len(_LINE_DASHES)],
            "marker": _LINE_MARKERS[place % len(_LINE_MARKERS)],
        }
        for place, line in enumerate(lines)
    }


def sign_of(style: dict[str, Any]) -> str:
    """The marker of a line as a character."""
    return _SIGNS[style["marker"]]


def shifts(curves: int) -> list[float]:
    """How far each of so many curves stands beside its precision, so that none hides another."""
    return [_DODGE * (place - (curves - 1) / 2) for place in range(curves)]


def places_of(curve: pd.DataFrame, bit_widths: Sequence[int], scale: Scale, shift: float) -> Any:
    """Where points are drawn, shape (points, 2); an infinite one at the ceiling."""
    return np.array(
        [
            (bit_widths.index(bits) + shift, scale.position(perplexity))
            for bits, perplexity in zip(curve.bit_width, curve.perplexity, strict=True)
        ]
    ).reshape(-1, 2)


def set_axes(panel: Axes, bit_widths: Sequence[int], scale: Scale, names: bool) -> None:
    """Precisions from left to right, by bits and perhaps by name, and perplexities upwards."""
    labels = [f"{bits}\n{precision_name(bits)}" if names else f"{bits}" for bits in bit_widths]
    panel.set_xticks(range(len(bit_widths)), labels)
    panel.grid(visible=False, axis="x")
    panel.set_yscale("log" if scale.logarithmic else "linear")
    panel.set(xlim=(-0.5, len(bit_widths) - 0.5), ylim=(scale.low, scale.high))
    panel.set_yticks(scale.ticks, [f"{tick:g}" for tick in scale.ticks])
    panel.set_yticks([], minor=True)


def draw_limits(panel: Axes, scale: Scale, threshold: float, limit: float) -> None:
    """Dashes at the absolute threshold, and a shade up to the limit, unless it is unknown."""
    if threshold < scale.high:
        panel.axhline(threshold, label="_threshold", **THRESHOLD)
    if not math.isnan(limit):
        panel.axhspan(scale.low, min(limit, scale.high), **REGION)


def draw_curve(panel: Axes, curve: pd.DataFrame, places: Any, scale: Scale, style: Any) -> None:
    """Points joined by a line, with standard deviations; an arrow where one is off the axis."""
    panel.plot(*places.T, **style)
    clipped = curve.perplexity.map(scale.clips).to_numpy(bool)
    spread = curve.perplexity_sd.to_numpy(float)
    known = ~clipped & np.isfinite(spread)
    for (x, mean), deviation in zip(places[known], spread[known], strict=True):
        ends = max(mean - deviation, scale.low), min(mean + deviation, scale.high)
        panel.plot([x, x], ends, color=style["color"], marker="_", label="_deviation")
    for x, y in places[clipped]:
        panel.annotate(
            "",
            (x, y),
            xytext=(0, ARROW_POINTS),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<|-", "color": style["color"], "linewidth": 1.2},
            zorder=4,
        )


def draw_mark(panel: Axes, place: Any, deployable: bool, colour: str) -> None:
    """A star or a cross on a point."""
    panel.plot(
        *place,
        **MARKS[deployable],
        linestyle="none",
        color=colour,
        markeredgecolor="black",
        zorder=5,
        label="_mark",
    )
