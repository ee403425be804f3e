"""Where the error of a language model by table comes from: operands, products, sums."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style, label
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.language_models.drawing import NOISE_FLOOR, TRUE_PRODUCTS
from qatlas.lut.language_models.stages import (
    ACCUMULATE,
    ENCODE,
    EXACT,
    NEAREST,
    NOISE,
    PRODUCT,
    STOCHASTIC,
)
from qatlas.plotting import FULL_WIDTH, GREY, new_figure, readable
from qatlas.summary import Summary

_AT_RANDOM: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 6.5,
    "markerfacecolor": "none",
}
_BESIDE = 0.08
"""How far lines of the right panel stand beside each other, which else would hide each other."""
_ACCUMULATORS = {
    EXACT: "exact",
    "float32": "float32",
    "int16": "int16",
    "range_x16": "16 R",
    "range_x4": "4 R",
    "range": "R",
}
"""Accumulators from wide to narrow, as they are labelled."""


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """All points of the model that is measured in every way."""
    rows = tables["table_models"]
    first = settings.language_models.models[0] if settings.language_models else ""
    rows = rows[(rows.model == first) & (rows.encoding.isin([*ENCODINGS, EXACT]))]
    columns = ["model", "stage", "encoding", "size", "bits", "method", "accumulator", "mean_kl"]
    return rows[columns].reset_index(drop=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """Mean KL against bits (left) and by accumulator at the largest size that has them (right)."""
    figure, (left, right) = new_figure(FULL_WIDTH, 2.8, 1, 2, sharey=True)
    noise = drawn[drawn.stage == NOISE].mean_kl.iloc[0]
    for panel in (left, right):
        panel.axhline(noise, **NOISE_FLOOR)
    _draw_bits(left, drawn)
    _draw_accumulators(right, drawn)
    left.set(
        title=f"{readable(drawn.model.iloc[0])}: operands, then products",
        xlabel="bits of an operand",
        ylabel="mean KL to the float model (nats)",
        yscale="log",
    )
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_bits(panel: Axes, drawn: pd.DataFrame) -> None:
    """Lines of exact sums: nearest levels, and as hollow markers stochastic ones."""
    true = drawn[(drawn.stage == ENCODE) & (drawn.encoding == EXACT)]
    lines: list[tuple[pd.DataFrame, dict[str, Any]]] = [(true, TRUE_PRODUCTS)]
    products = drawn[drawn.stage == PRODUCT]
    for encoding, rows in products.groupby("encoding", sort=False):
        lines.append((rows, encoding_style(str(encoding))))
    for rows, style in lines:
        nearest = rows[rows.method == NEAREST]
        panel.plot(nearest.bits, nearest.mean_kl, **style)
    for rows, style in lines:
        random = rows[rows.method == STOCHASTIC]
        panel.plot(random.bits, random.mean_kl, **_AT_RANDOM, color=style["color"], label="_other")
    panel.plot([], [], **_AT_RANDOM, color=GREY, label="operands rounded at random")
    panel.set_xticks(sorted(products.bits.unique()))


def _draw_accumulators(panel: Axes, drawn: pd.DataFrame) -> None:
    sums = drawn[drawn.stage == ACCUMULATE]
    if sums.empty:
        panel.set_axis_off()
        return
    size = sums["size"].max()
    sums = sums[sums["size"] == size]
    exact = drawn[(drawn.stage == PRODUCT) & (drawn["size"] == size) & (drawn.method == NEAREST)]
    both = pd.concat([exact, sums])
    order = [name for name in _ACCUMULATORS if name in set(both.accumulator)]
    for number, (encoding, rows) in enumerate(both.groupby("encoding", sort=False)):
        line = rows.set_index("accumulator").mean_kl.reindex(order)
        places = [place + _BESIDE * (number - 1) for place in range(len(order))]
        panel.plot(places, line, **encoding_style(str(encoding)))
    panel.set(title=f"then sums, S = {size}", xlabel="accumulator, wide to narrow")
    panel.set_xticks(range(len(order)), [_ACCUMULATORS[name] for name in order])


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    section = settings.language_models
    if section is None:
        return "No language model multiplies by table."
    size = max(section.sizes)
    parts = []
    for encoding in section.encodings:
        key = f"models.{section.models[0]}.parts.{encoding}.{size}.{NEAREST}.{EXACT}"
        encode = summary.written(f"{key}.{ENCODE}", ".1e")
        product = summary.written(f"{key}.{PRODUCT}", ".1e")
        parts.append(f"{label(encoding)} {encode} + {product}")
    return (
        "Three evaluations, each less exact than the last: operands on levels with true products "
        "(dotted), products of the table (left, lines), and sums of the accumulator (right: R "
        "clips every sum to the range). KL of operands + what products add to it at "
        f"{size} levels, nats: {'; '.join(parts)}."
    )
