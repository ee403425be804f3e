"""What each family wastes on MLP, attention and embedding weights at about equal rates."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.plotting import FULL_WIDTH, blank_figure, family_colour, new_figure, readable
from qatlas.rate_distortion.findings.groups import GROUPS, compare_groups
from qatlas.summary import Summary

_ROW_INCHES = 0.24


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """The best series of each family on each group, the nearest to its bound first."""
    compared = compare_groups(tables["measurements"], settings)
    mean = compared.groupby("codec").gap_empirical_bits.transform("mean")
    order = compared.assign(mean=mean).sort_values(["mean", "codec", "group"], ignore_index=True)
    return order.drop(columns="mean")


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a group, a bar a family."""
    groups = [group for group in GROUPS if group in set(drawn.group)]
    if not groups:
        return blank_figure(FULL_WIDTH, "No MLP, attention or embedding weights were measured.")
    families = list(dict.fromkeys(drawn.codec))
    height = 0.9 + _ROW_INCHES * len(families)
    figure, panels = new_figure(FULL_WIDTH, height, 1, len(groups), sharex=True, sharey=True)
    for group, panel in zip(groups, panels, strict=True):
        _draw_group(panel, drawn[drawn.group == group].set_index("codec").loc[families])
        panel.set_title(GROUPS[group])
    first = drawn[drawn.group == groups[0]].set_index("codec")
    panels[0].set_yticks(
        range(len(families)),
        [f"{readable(row.series)} ({row.rate_bits_per_weight:.2f})" for row in first.itertuples()],
    )
    panels[0].invert_yaxis()
    panels[0].set_xlim(min(drawn.gap_empirical_bits.min(), 0), 1.2 * drawn.gap_empirical_bits.max())
    panels[len(panels) // 2].set_xlabel("gap to the empirical bound (bits per weight)")
    return figure


def _draw_group(panel: Axes, rows: pd.DataFrame) -> None:
    panel.barh(
        range(len(rows)),
        rows.gap_empirical_bits,
        color=[family_colour(family) for family in rows.index],
        height=0.7,
    )
    for place, gap in enumerate(rows.gap_empirical_bits):
        panel.annotate(
            f"{gap:.2f}",
            (max(gap, 0), place),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
    panel.tick_params(axis="y", length=0)
    panel.grid(visible=False, axis="y")


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    bits = settings.sensitivity_bits
    lowest, highest = (summary.written(f"window.{bits}bit.{end}") for end in ("low", "high"))
    family = readable(summary.written(f"groups.{bits}bit.largest_spread_family"))
    spread = summary.written(f"groups.{bits}bit.largest_spread_bits", ".2f")
    return (
        f"The best series of each family between {lowest} and {highest} bits per weight on three "
        f"groups of weights of {settings.example.model} (true rate in brackets), averaged over up "
        "to six evenly spaced layers: bits spent beyond the empirical bound. The groups differ "
        f"most for {family}, by {spread} bits."
    )
