"""Perplexity of language models that multiply by table, against the bits of an operand."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style, label, point_styles
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.findings.models import TOLERANCE
from qatlas.lut.language_models.drawing import NOISE_FLOOR, TRUE_PRODUCTS
from qatlas.lut.language_models.stages import ENCODE, EXACT, FLOAT, NEAREST, NOISE, PRODUCT
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary

_HIGHEST = 4.0
"""Perplexities beyond so many times the model's own are off the top."""
_TICKS = (1.0, 1.2, 1.5, 2.0, 3.0, 4.0)


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Nearest levels and exact sums, and the model itself."""
    rows = tables["table_models"]
    exact = rows.stage.isin([ENCODE, PRODUCT]) & (rows.method == NEAREST)
    rows = rows[exact | rows.stage.isin([FLOAT, NOISE])]
    itself = rows[rows.stage == FLOAT].set_index("model").perplexity
    ratio = rows.perplexity / rows.model.map(itself)
    columns = ["model", "stage", "encoding", "size", "bits", "perplexity"]
    return rows[columns].assign(ratio=ratio).reset_index(drop=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model; a line an encoding, a marker to the right of them a multiplier."""
    models = list(dict.fromkeys(drawn.model))
    figure, panels = new_figure(FULL_WIDTH, 2.9, 1, len(models), sharey=True)
    for model, panel in zip(models, panels, strict=True):
        rows = drawn[drawn.model == model].set_index("stage")
        panel.axhspan(1, 1 + TOLERANCE, color="0.9", zorder=0, label=f"within {TOLERANCE:.0%}")
        panel.axhline(1, label="float model", **BOUND)
        panel.axhline(rows.ratio[NOISE], **NOISE_FLOOR)
        true = rows.loc[[ENCODE]]
        true = true[true.encoding == EXACT]
        panel.plot(true.bits, true.ratio, **TRUE_PRODUCTS)
        products = rows.loc[[PRODUCT]]
        for encoding, line in products.groupby("encoding", sort=False):
            if encoding in ENCODINGS:
                panel.plot(line.bits, line.ratio, **encoding_style(str(encoding)))
        _draw_multipliers(panel, products)
        panel.set(title=f"{readable(model)} (float model: {rows.perplexity[FLOAT]:.1f})")
        panel.set(xlabel="bits of an operand", yscale="log", ylim=(0.97, _HIGHEST))
    panels[0].set_ylabel("perplexity / float model's")
    panels[0].set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    panels[0].minorticks_off()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _draw_multipliers(panel: Axes, products: pd.DataFrame) -> None:
    """Multipliers of eight bits, each at a place of its own behind the bits of encodings."""
    others = products[~products.encoding.isin(ENCODINGS)]
    bits = sorted(products.bits.unique())
    places = [max(bits) + 1 + number for number in range(len(others))]
    styles = point_styles(list(others.encoding))
    for row, place in zip(others.itertuples(), places, strict=True):
        panel.plot(place, row.ratio, **styles[row.encoding])
    named = {float(np.mean(places)): "8-bit\nnumbers"} if places else {}
    panel.set_xticks([*bits, *named], [*(f"{b}" for b in bits), *named.values()])


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
        f"Perplexity on {tokens:,} tokens over the float model's when all linear layers multiply "
        "by table, by how codes stand for products; sums are exact. True products of the same "
        "levels are integer quantization of weights and activations: int8 at 8 bits, int4 at 4. "
        "Fewest levels within "
        f"{TOLERANCE:.0%} of the float model: {'; '.join(smallest)}."
    )
