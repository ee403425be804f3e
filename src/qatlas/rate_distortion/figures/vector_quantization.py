"""Vector and product quantization over the scalar curves, with the limits."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.bounds.high_rate import fixed_rate_gap_bits
from qatlas.config.rate_distortion import RateDistortion
from qatlas.family_curves import draw_legend, in_order
from qatlas.plotting import (
    FULL_WIDTH,
    blank_figure,
    context_style,
    family_style,
    new_figure,
    readable,
    series_styles,
    shorten,
)
from qatlas.rate_distortion.drawing import LIMITS, NMSE, RATE, draw_guide, draw_limits
from qatlas.rate_distortion.findings.vector import VECTOR, vector_and_scalar
from qatlas.summary import Summary

_DIMENSIONS = (1, 2, 4, 8)
_SHADES = colormaps["plasma"]


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Vector series, scalar families and limits (codec "limit") on the example's tensor."""
    points = vector_and_scalar(tables["measurements"], settings)
    example, bounds = settings.example, tables["bounds"]
    bounds = bounds[(bounds.model == example.model) & (bounds.tensor == example.tensor)]
    limits = [
        pd.DataFrame({"nmse": bounds.nmse, "rate_bits_per_weight": bounds[column]}).assign(
            codec="limit",
            series=column,
            gap_shannon_bits=bounds[column] - bounds.shannon_bits,
            best=False,
        )
        for column in LIMITS
    ]
    return pd.concat([points, *limits], ignore_index=True).assign(tensor=example.tensor)


def draw(drawn: pd.DataFrame) -> Figure:
    """Error and gap against rate: every vector series, the best of each scalar family."""
    points, limits = drawn[drawn.codec != "limit"], drawn[drawn.codec == "limit"]
    vectors = points[points.codec == VECTOR]
    if vectors.empty:
        return blank_figure(FULL_WIDTH, "No vector quantization was measured.")
    figure, (left, right) = new_figure(FULL_WIDTH, 3.9, 1, 2, sharex=True)
    for panel, quantity in ((left, "nmse"), (right, "gap_shannon_bits")):
        draw_limits(panel, limits, quantity)
        _draw_scalars(panel, points[points.codec != VECTOR], quantity)
        _draw_vectors(panel, vectors, quantity)
        panel.set_xlabel(RATE)
    left.set_title(shorten(drawn.tensor.iloc[0], 48))
    right.set_title("the same points, rate beyond Shannon's")
    for dimension in _DIMENSIONS:
        draw_guide(right, fixed_rate_gap_bits(dimension), f"d = {dimension}")
    highest = vectors.rate_bits_per_weight.max() + 0.5
    shown = points[points.rate_bits_per_weight <= highest]
    left.set(yscale="log", ylabel=NMSE, xlim=(0, highest), ylim=(shown.nmse.min() / 2, 1.1))
    right.set(ylabel="gap to the Gaussian Shannon bound (bits per weight)")
    wasted = shown[shown.best | (shown.codec == VECTOR)].gap_shannon_bits
    right.set_ylim(min(limits.gap_shannon_bits.min() - 0.05, -0.1), wasted.max() + 0.1)
    draw_legend(figure, [left, right], 4)
    return figure


def _draw_scalars(panel: Axes, points: pd.DataFrame, quantity: str) -> None:
    """The best of each family: its colour as in all figures, but pale beside the vectors."""
    for family in in_order(points.codec):
        best = points[points.best & (points.codec == family)]
        best = best.sort_values("rate_bits_per_weight")
        style = family_style(family) | {"color": context_style(family)["color"], "zorder": 2}
        panel.plot(best.rate_bits_per_weight, best[quantity], **style)


def _draw_vectors(panel: Axes, points: pd.DataFrame, quantity: str) -> None:
    """Every series; its interval where it was sampled, and open what its training data say."""
    styles = series_styles(dict.fromkeys(points.series.unique(), VECTOR))
    shades = _SHADES(np.linspace(0, 0.85, len(styles)))
    for (series, given), shade in zip(styles.items(), shades, strict=True):
        # Shades of the family's one colour would be too near each other.
        style = given | {"color": shade, "linestyle": "-", "linewidth": 1.3, "zorder": 3}
        rows = points[points.series == series]
        panel.plot(rows.rate_bits_per_weight, rows[quantity], **style)
        if quantity == "nmse":
            panel.vlines(
                rows.rate_bits_per_weight, rows.nmse_low, rows.nmse_high, color=shade, zorder=3
            )
        trained = rows.dropna(subset=["train_nmse"])
        if len(trained):
            look = {"linestyle": ":", "linewidth": 0.7, "markerfacecolor": "none"}
            look["label"] = f"_{series} as trained"
            panel.plot(trained.rate_bits_per_weight, trained[f"train_{quantity}"], **(style | look))


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    lowest, highest = (summary.written(f"window.2bit.{end}") for end in ("low", "high"))
    vector, scalar = (
        f"{readable(summary.written(f'example.{which}.2bit.nearest_to_empirical'))} "
        f"({summary.written(f'example.{which}.2bit.nearest_gap_empirical_bits', '.3f')} bits)"
        for which in ("vector", "scalar")
    )
    return (
        f"Vector quantization on {settings.example.tensor} ({settings.example.model}), judged on "
        "all weights or a sample of them (bars: 95 % interval), over the best of each scalar "
        "family (pale). Open and dotted: what the error on its training data would suggest. Grey: "
        "best quantizers of a Gaussian with codes of one length in d dimensions at high rate "
        f"(Zador), {fixed_rate_gap_bits(1):.2f} bits with d = 1. Between {lowest} and {highest} "
        f"bits per weight the nearest to the empirical bound: of the vector series {vector}, of "
        f"the scalar {scalar}."
    )
