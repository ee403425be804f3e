"""The Pareto front over all codecs, and who is on it at which rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import draw_legend, in_order
from qatlas.plotting import (
    FULL_WIDTH,
    context_style,
    family_style,
    new_figure,
    readable,
    shorten,
)
from qatlas.rate_distortion.averages import mean_limits
from qatlas.rate_distortion.drawing import NMSE, RATE, draw_limits
from qatlas.rate_distortion.findings.front import EQUAL_RATES_BITS, SCOPES, front_points
from qatlas.rate_distortion.operating_points import BITS
from qatlas.summary import Summary

_ROW_INCHES = 0.17


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """All points and limits (codec "limit") of the example's tensor and of its whole model."""
    rows = tables["measurements"]
    points = front_points(rows, settings)
    tensors = rows[rows.model == settings.example.model].drop_duplicates("tensor")
    example = tensors[tensors.tensor == settings.example.tensor].assign(scope=SCOPES[0])
    scoped = pd.concat([example, tensors.assign(scope=SCOPES[1])])
    limits = mean_limits(tables["bounds"], scoped, ["scope"])
    titles = {
        SCOPES[0]: shorten(settings.example.tensor, 48),
        SCOPES[1]: f"{settings.example.model}, mean over {len(tensors)} tensors",
    }
    drawn = pd.concat([points, limits.assign(codec="limit", front=False)], ignore_index=True)
    return drawn.assign(title=drawn.scope.map(titles))


def draw(drawn: pd.DataFrame) -> Figure:
    """Above the front among all points, below a row a series that is on it."""
    measured = drawn[drawn.codec != "limit"]
    front = measured[measured.front]
    first = front.sort_values(["rate_bits_per_weight", "series"]).drop_duplicates("series")
    rows = first.series.tolist()
    strip = 0.35 + _ROW_INCHES * len(rows)
    figure, axes = new_figure(
        FULL_WIDTH, 3.9 + strip, 2, 2, sharex=True, sharey="row", height_ratios=(2.9, strip)
    )
    for scope, upper, lower in zip(SCOPES, axes[:2], axes[2:], strict=True):
        points = measured[measured.scope == scope]
        draw_limits(upper, drawn[(drawn.codec == "limit") & (drawn.scope == scope)], "nmse")
        _draw_points(upper, points)
        _draw_strip(lower, points[points.front], rows)
        upper.set_title(drawn[drawn.scope == scope].title.iloc[0])
        lower.set_xlabel(RATE)
    axes[0].set(
        yscale="log",
        ylabel=NMSE,
        xlim=(0, measured.rate_bits_per_weight.max() + 0.2),
        ylim=(measured.nmse.min() / 2, 2),
    )
    axes[2].set_yticks(range(len(rows)), [readable(series) for series in rows])
    axes[2].set_ylim(len(rows) - 0.4, -0.6)
    draw_legend(figure, axes[:2], 4)
    return figure


def _draw_points(panel: Axes, points: pd.DataFrame) -> None:
    """All points pale, those on the front in their family's colour, joined."""
    for family in in_order(points.codec):
        rows = points[points.codec == family]
        beaten, front = rows[~rows.front], rows[rows.front]
        alone = {"linestyle": "none", "marker": "."}
        panel.plot(
            beaten.rate_bits_per_weight, beaten.nmse, **context_style(family) | alone, markersize=2
        )
        if len(front):
            only_marker = family_style(family) | {"linestyle": "none"}
            panel.plot(front.rate_bits_per_weight, front.nmse, **only_marker)
    front = points[points.front].sort_values("rate_bits_per_weight")
    panel.plot(
        front.rate_bits_per_weight, front.nmse, color="0.3", linewidth=0.6, zorder=2, label="_front"
    )


def _draw_strip(panel: Axes, front: pd.DataFrame, rows: list[str]) -> None:
    """Where on the axis of rates each series is on the front."""
    for series, points in front.groupby("series"):
        style = family_style(points.codec.iloc[0]) | {"label": "_strip", "linestyle": "none"}
        panel.plot(points.rate_bits_per_weight, [rows.index(str(series))] * len(points), **style)
    panel.tick_params(axis="y", length=0)


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    points, front = (summary.written(f"front.model.{n}") for n in ("points", "points_on_front"))
    ends = ", ".join(
        f"{readable(summary.written(f'front.model.{bits}bit.series'))} at {bits}" for bits in BITS
    )
    return (
        f"Points that no codec beats in rate and error at once, on {settings.example.tensor} and "
        f"averaged over all weights of {settings.example.model}; the other points are pale. Below, "
        f"which series they belong to. Rates within {EQUAL_RATES_BITS:g} bit count as equal. On "
        f"the whole model {front} of {points} points are on the front; least error with so many "
        f"bits per weight: {ends}."
    )
