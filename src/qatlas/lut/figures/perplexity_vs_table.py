"""Perplexity of language models that multiply by table, against the bits of an operand."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style, label
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.findings.models import TOLERANCE
from qatlas.lut.language_models.stages import ENCODE, EXACT, FLOAT, NEAREST, NOISE, PRODUCT
from qatlas.plotting import BOUND, FULL_WIDTH, GREY, new_figure, readable
from qatlas.summary import Summary

_WORST = 4
"""Perplexities beyond so many times the model's own are off the top."""
_TICKS = (10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
_MULTIPLIER_MARKERS = "PX*hpd"
TRUE_PRODUCTS: dict[str, Any] = {
    "color": "black",
    "marker": "x",
    "linestyle": ":",
    "label": "true products",
}
"""Line style of operands on levels that are multiplied exactly."""


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Nearest levels and exact sums, and the model itself."""
    rows = tables["table_models"]
    exact = rows.stage.isin([ENCODE, PRODUCT]) & (rows.method == NEAREST)
    rows = rows[exact | rows.stage.isin([FLOAT, NOISE])]
    columns = ["model", "stage", "encoding", "size", "bits", "perplexity", "mean_kl"]
    return rows[columns].reset_index(drop=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model; a line an encoding, a marker a multiplier."""
    models = list(dict.fromkeys(drawn.model))
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(models), sharey=True)
    itself = drawn[drawn.stage == FLOAT].set_index("model").perplexity
    for model, panel in zip(models, panels, strict=True):
        rows = drawn[drawn.model == model]
        level = itself[model]
        panel.axhspan(
            level, level * (1 + TOLERANCE), color="0.9", zorder=0, label=f"within {TOLERANCE:.0%}"
        )
        panel.axhline(level, label="float model", **BOUND)
        noise = rows[rows.stage == NOISE].perplexity.iloc[0]
        panel.axhline(noise, color=GREY, linestyle=(0, (1, 1.2)), label="computed in bfloat16")
        true = rows[(rows.stage == ENCODE) & (rows.encoding == EXACT)]
        panel.plot(true.bits, true.perplexity, **TRUE_PRODUCTS)
        products = rows[rows.stage == PRODUCT]
        for encoding, line in products.groupby("encoding", sort=False):
            if encoding in ENCODINGS:
                panel.plot(line.bits, line.perplexity, **encoding_style(str(encoding)))
        others = products[~products.encoding.isin(ENCODINGS)]
        for row, marker in zip(others.itertuples(), _MULTIPLIER_MARKERS, strict=False):
            panel.plot(
                row.bits,
                row.perplexity,
                marker=marker,
                markersize=5.5,
                markerfacecolor="white",
                markeredgecolor="black",
                markeredgewidth=0.8,
                linestyle="none",
                label=label(row.encoding),
            )
        panel.set(title=readable(model), xlabel="bits of an operand", yscale="log")
        panel.set_xticks(sorted(products.bits.unique()))
    low, high = 0.96 * itself.min(), _WORST * itself.max()
    shown = [tick for tick in _TICKS if low < tick < high]
    panels[0].set(ylim=(low, high), ylabel="perplexity")
    panels[0].set_yticks(shown, [f"{tick:g}" for tick in shown])
    panels[0].minorticks_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    section = settings.language_models
    models = section.models if section else ()
    tokens = section.tokens if section else 0
    smallest = [
        f"{readable(model)} "
        + ", ".join(
            f"{label(e)} {summary.written(f'models.{model}.smallest_table.{e}', 'd')}"
            for e in (section.encodings if section else ())
        )
        for model in models
    ]
    return (
        f"Perplexity on {tokens:,} tokens when all linear layers multiply by table, by how codes "
        "stand for products; sums are exact. True products of the same levels are integer "
        "quantization of weights and activations: int8 at 8 bits, int4 at 4. Fewest levels within "
        f"{TOLERANCE:.0%} of the float model: {'; '.join(smallest)}."
    )
