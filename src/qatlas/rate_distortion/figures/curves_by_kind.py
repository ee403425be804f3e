"""Rate-distortion curves averaged over the tensors of a kind, with the limits averaged alike."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import draw_families, draw_legend
from qatlas.plotting import FULL_WIDTH, blank_figure, new_figure, readable
from qatlas.rate_distortion.drawing import NMSE, RATE, draw_limits
from qatlas.rate_distortion.findings.kinds import GROUPS, curves_of_groups, limits_of_groups
from qatlas.summary import Summary

_HIGHEST_GAP = 1.6
_LOWEST_GAP = -0.15


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Averaged points and limits (codec "limit") of the example's model, by group of kinds."""
    model = settings.example.model
    points = curves_of_groups(tables["measurements"], model)
    limits = limits_of_groups(tables["bounds"], tables["measurements"], model)
    return pd.concat([points, limits.assign(codec="limit", best=False)], ignore_index=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """A column a group: the error above, what is wasted below."""
    groups = [group for group in GROUPS if group in set(drawn.group)]
    if not groups:
        return blank_figure(FULL_WIDTH, "No embedding, attention or MLP weights were measured.")
    count = len(groups)
    figure, axes = new_figure(FULL_WIDTH, 5.6, 2, count, sharex=True, sharey="row")
    measured = drawn[drawn.codec != "limit"]
    for group, upper, lower in zip(groups, axes[:count], axes[count:], strict=True):
        _draw_group(drawn[drawn.group == group], upper, lower)
        upper.set_title(f"{GROUPS[group]} ({_tensors(measured[measured.group == group])})")
    axes[0].set(
        yscale="log",
        xlim=(0, measured.rate_bits_per_weight.max() + 0.2),
        ylim=(measured.nmse.min() / 2, 2),
        ylabel=NMSE,
    )
    axes[count].set(
        ylim=(_LOWEST_GAP, _HIGHEST_GAP), ylabel="gap to the empirical bound (bits per weight)"
    )
    for lowest in axes[count:]:
        lowest.set_xlabel(RATE)
    draw_legend(figure, axes, 4)
    return figure


def _tensors(points: pd.DataFrame) -> str:
    count = int(points.tensors.max())
    return "1 tensor" if count == 1 else f"{count} tensors"


def _draw_group(rows: pd.DataFrame, upper: Axes, lower: Axes) -> None:
    points, limits = rows[rows.codec != "limit"], rows[rows.codec == "limit"]
    draw_families(upper, points, "nmse")
    draw_limits(upper, limits, "nmse")
    draw_families(lower, points, "gap_empirical_bits")
    draw_limits(
        lower,
        limits[limits.series == "empirical_bits"].assign(gap_empirical_bits=0.0),
        "gap_empirical_bits",
    )


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    lowest, highest = summary.written("window.4bit.low"), summary.written("window.4bit.high")
    nearest = ", ".join(
        f"{readable(summary.written(f'kinds.{group}.4bit.nearest_to_empirical'))} "
        f"({summary.written(f'kinds.{group}.4bit.nearest_gap_empirical_bits', '.3f')} bits) "
        f"on {name}"
        for group, name in GROUPS.items()
    )
    return (
        f"Rate and distortion of every codec on {settings.example.model}, averaged over the "
        "weights of a kind; limits are averaged with all tensors at the same rate. The best of "
        f"each family is drawn with markers, all else pale. Between {lowest} and {highest} bits "
        f"per weight the nearest to the empirical bound: {nearest}."
    )
