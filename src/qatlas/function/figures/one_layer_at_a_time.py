"""What quantizing one layer alone does to the output."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.function.first_seed import of_first_seed
from qatlas.plotting import FULL_WIDTH, new_figure, plot_by_layer, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Mean KL for every layer at the first of the configured rates."""
    rows = of_first_seed(tables["sensitivities"])
    rows = rows[rows.nominal_bits == settings.sensitivity.bits[0]]
    # Of architectures whose layers have no common names, their own names tell more than "linear".
    own = "linear_" + rows.tensor.str.split(".").str[-2]
    named = rows.assign(kind=rows.kind.where(rows.kind != "linear", own))
    return named[["model", "tensor", "kind", "layer", "nmse", "mean_kl"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a model, a marker a kind."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 2.8, 1, len(models), sharey=True)
    for model, panel in zip(models, panels, strict=True):
        plot_by_layer(panel, drawn[drawn.model == model], "mean_kl")
        panel.set_title(readable(model))
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    panels[0].set_ylabel("mean KL (nats per token)")
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    bits = settings.sensitivity.bits[0]
    ratios = [
        f"{model}: {summary.written(f'{model}.linearity.{bits:g}bit.mean_kl', '.2f')}"
        for model in settings.models
    ]
    return (
        f"KL to the float model when a single layer is quantized ({settings.sensitivity.series}, "
        f"{bits:g} bits). Added up over layers this is, over the KL with "
        f"all of them quantized: {'; '.join(ratios)}; 1 if effects of layers simply add up."
    )
