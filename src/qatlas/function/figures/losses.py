"""How the perplexity of language models fell while they were trained."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.plotting import COLUMN_WIDTH, named_colours, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Validation perplexity of every training."""
    rows = tables["losses"]
    return rows.assign(perplexity=np.exp(rows.validation_nll))[
        ["architecture", "seed", "step", "tokens", "perplexity"]
    ]


def draw(drawn: pd.DataFrame) -> Figure:
    """A colour an architecture, a line a training."""
    figure, (panel,) = new_figure(COLUMN_WIDTH, 2.6)
    colours = named_colours(drawn.architecture)
    for (architecture, seed), rows in drawn[drawn.step > 0].groupby(["architecture", "seed"]):
        first = seed == drawn[drawn.architecture == architecture].seed.min()
        panel.plot(
            rows.tokens / 1e6,
            rows.perplexity,
            color=colours[str(architecture)],
            marker="o",
            label=readable(str(architecture)) if first else "_another",
        )
    panel.set(
        yscale="log", xlabel="tokens trained on (million)", ylabel="perplexity on held-out text"
    )
    ticks = [t for t in (20, 30, 50, 70, 100, 150, 200, 300) if t > drawn.perplexity.min() * 0.8]
    panel.set_yticks(ticks, [str(tick) for tick in ticks])
    panel.minorticks_off()
    panel.legend()
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    return (
        "Perplexity on the validation part while the language models were trained, a line for "
        "each training; all architectures saw the same tokens, in an order that their seed gives."
    )
