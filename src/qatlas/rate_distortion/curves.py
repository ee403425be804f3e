"""Curves of one tensor of each model, the example first, with their limits."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config import RateDistortion
from qatlas.plotting import (
    BOUND,
    FULL_WIDTH,
    context_style,
    new_figure,
    series_styles,
    shorten,
)

LIMITS: dict[str, tuple[str, Any]] = {
    "shannon_bits": ("Gaussian Shannon bound", (0, (6, 2))),
    "empirical_bits": ("empirical bound", (0, (3, 1.5))),
    "shannon_lower_bits": ("Shannon lower bound", (0, (1, 1.2))),
}
"""Columns of the table of bounds: their name in a legend, and their dashes."""

_KEY = ["model", "tensor"]


def select_curves(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Measured points and limits as one tidy table of curves.

    The models stand in order, the example's first; of the others the largest tensor is taken.
    Limits are the rows whose codec is "limit"; ``highlight`` is the place of a series among those
    that are singled out, or missing.
    """
    measurements = tables["measurements"]
    by_size = measurements.sort_values(["weights", "tensor"], ascending=[False, True])
    largest = by_size.drop_duplicates("model").set_index("model").tensor.to_dict()
    others = sorted(largest.keys() - {settings.example.model})
    chosen = pd.DataFrame(
        {
            "model": [settings.example.model, *others],
            "tensor": [settings.example.tensor, *(largest[model] for model in others)],
        }
    )
    points = chosen.merge(measurements, on=_KEY)[
        [*_KEY, "codec", "series", "rate_bits_per_weight", "nmse", "gap_shannon_bits"]
    ]
    place = {series: place for place, series in enumerate(settings.highlight)}
    bounds = chosen.merge(tables["bounds"], on=_KEY)
    limits = [
        bounds[[*_KEY, "nmse"]].assign(
            codec="limit",
            series=column,
            rate_bits_per_weight=bounds[column],
            gap_shannon_bits=bounds[column] - bounds.shannon_bits,
        )
        for column in LIMITS
    ]
    points = points.assign(highlight=points.series.map(place))
    return pd.concat([points, *limits], ignore_index=True)


def draw_panels(drawn: pd.DataFrame, quantity: str, height: float) -> tuple[Figure, list[Axes]]:
    """A panel a model, ``quantity`` against rate for every series and limit, one legend."""
    models = drawn.model.unique()
    columns = min(len(models), 2)
    figure, axes = new_figure(
        FULL_WIDTH, height, -(-len(models) // 2), columns, sharex=True, sharey=True
    )
    for model, panel in zip(models, axes, strict=False):
        _draw_panel(panel, drawn[drawn.model == model], quantity)
    for unused in axes[len(models) :]:
        unused.remove()
    for lowest in axes[max(len(models) - columns, 0) : len(models)]:
        lowest.set_xlabel("true rate (bits per weight, everything charged)")
        lowest.tick_params(labelbottom=True)
    legend = {str(line.get_label()): line for line in axes[0].get_lines()}
    figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=4)
    return figure, axes[: len(models)]


def _draw_panel(panel: Axes, drawn: pd.DataFrame, quantity: str) -> None:
    panel.set_title(shorten(f"{drawn.model.iloc[0]}: {drawn.tensor.iloc[0]}", 56))
    for style, curve in _curves(drawn):
        curve = curve.sort_values("rate_bits_per_weight")
        panel.plot(curve.rate_bits_per_weight, curve[quantity], **style)


def _curves(drawn: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    points = drawn[drawn.codec != "limit"]
    singled_out = points.dropna(subset=["highlight"]).sort_values("highlight", kind="stable")
    families = dict(zip(singled_out.series, singled_out.codec, strict=True))
    for series, style in series_styles(families).items():
        yield style, points[points.series == series]
    for (family, _), curve in points[points.highlight.isna()].groupby(["codec", "series"]):
        # A line through one point is not seen.
        yield {**context_style(str(family)), "marker": "." if len(curve) == 1 else ""}, curve
    for series, (label, dashes) in LIMITS.items():
        limit = drawn[(drawn.codec == "limit") & (drawn.series == series)]
        yield {**BOUND, "linestyle": dashes, "label": label}, limit
