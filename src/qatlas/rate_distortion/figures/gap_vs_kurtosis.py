"""Gap to the Gaussian Shannon bound against the kurtosis of every tensor, a panel a family."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import in_order
from qatlas.plotting import (
    BOUND,
    FULL_WIDTH,
    blank_figure,
    context_style,
    family_colour,
    family_style,
    new_figure,
    readable,
)
from qatlas.rate_distortion.drawing import gap_axis, kurtosis_axis
from qatlas.rate_distortion.findings.kurtosis import gaps_by_kurtosis
from qatlas.summary import Summary

_COLUMNS = 4


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Every series at the chosen bits on every tensor of all models."""
    gaps = gaps_by_kurtosis(tables["measurements"], tables["rotation"], settings)
    return gaps.assign(open=gaps.series == settings.by_tensor)


def draw(drawn: pd.DataFrame) -> Figure:
    """A point a tensor: the best of the family strong, its other series pale."""
    families = in_order(drawn.codec)
    if not families:
        return blank_figure(FULL_WIDTH, "No codec was measured at these bits.")
    columns = min(_COLUMNS, len(families))
    rows = -(-len(families) // columns)
    figure, axes = new_figure(FULL_WIDTH, 0.5 + 1.6 * rows, rows, columns, sharex=True, sharey=True)
    panels = axes[: len(families)]
    for family, panel in zip(families, panels, strict=True):
        _draw_family(panel, family, drawn[drawn.codec == family])
    for unused in axes[len(families) :]:
        unused.remove()
    for lowest in panels[-columns:]:
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel("kurtosis")
    span = drawn["kurtosis"].min() - 0.4, drawn["kurtosis"].max() * 1.3
    gaps = min(drawn.gap_shannon_bits.min(), 0) - 0.1, drawn.gap_shannon_bits.max() + 0.3
    for panel in panels:
        panel.set(xlim=span, ylim=gaps)
        kurtosis_axis(panel)
        gap_axis(panel)
    figure.supylabel("gap to the Gaussian Shannon bound (bits per weight)", fontsize=8)
    return figure


def _draw_family(panel: Axes, family: str, points: pd.DataFrame) -> None:
    scattered = {"linestyle": "none"}
    others, best = points[~points.best], points[points.best]
    pale = context_style(family) | scattered | {"marker": ".", "markersize": 3}
    panel.plot(others["kurtosis"], others.gap_shannon_bits, **pale)
    plain = others[others.open]
    circles = pale | {"marker": "o", "color": family_colour(family), "markerfacecolor": "none"}
    panel.plot(plain["kurtosis"], plain.gap_shannon_bits, **circles)
    panel.plot(best["kurtosis"], best.gap_shannon_bits, **family_style(family) | scattered)
    panel.axhline(0, label="Gaussian Shannon bound", **BOUND)
    panel.set_title(readable(family))


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""

    def gap(name: str, side: str) -> str:
        return summary.written(f"kurtosis.{name}.{side}.median_gap_shannon_bits", ".2f")

    grown = ", ".join(
        f"from {gap(name, 'light_tailed')} to {gap(name, 'heavy_tailed')} bits for {called}"
        for name, called in (
            (settings.by_tensor, readable(settings.by_tensor)),
            ("uniform", "the best uniform grid"),
            ("lloyd_max", "lloyd max"),
        )
    )
    return (
        f"Gap to the Gaussian Shannon bound at {settings.sensitivity_bits} nominal bits (true "
        "rates charged) of every tensor of all models against its kurtosis: the best series of "
        f"each family, its others pale, {readable(settings.by_tensor)} as open circles. An "
        "error above the variance wastes the whole rate. From "
        f"tensors with a kurtosis up to {summary.written('kurtosis.heavy_tailed_above', 'g')} to "
        f"those above, the median gap goes {grown}."
    )
