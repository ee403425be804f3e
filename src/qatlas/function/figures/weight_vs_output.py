"""Errors that need no text to be predicted, against what becomes of the logits."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.family_curves import draw_legend, in_order
from qatlas.function.first_seed import of_first_seed
from qatlas.function.proxies import OUTPUT, PROXIES
from qatlas.plotting import FULL_WIDTH, family_style, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Every codec and rate of the first training of each model; nothing lost is left out."""
    rows = of_first_seed(tables["evaluations"])
    rows = rows[(rows.codec != "cast") & (rows.nmse > 0)]
    return rows[["model", "codec", "series", "nominal_bits", *PROXIES, OUTPUT]]


def draw(drawn: pd.DataFrame) -> Figure:
    """Both scales logarithmic: a row a proxy, a column a model."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 4.6, len(PROXIES), len(models), sharey=True)
    for place, panel in enumerate(panels):
        model, column = models[place % len(models)], list(PROXIES)[place // len(models)]
        rows = drawn[drawn.model == model]
        for family in in_order(rows.codec):
            points = rows[rows.codec == family]
            style = family_style(family) | {"linestyle": "none"}
            panel.plot(points[column], points[OUTPUT], **style)
        panel.set(xscale="log", yscale="log", xlabel=f"{PROXIES[column]}, relative")
        if place < len(models):
            panel.set_title(readable(model))
    figure.supylabel("MSE of the logits", fontsize=8)
    draw_legend(figure, panels, 5)
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    said = []
    for model in settings.models:
        ranks = [
            f"{called} {summary.written(f'{model}.{column}.spearman', '.3f')}"
            for column, called in PROXIES.items()
        ]
        said.append(f"{model}: {', '.join(ranks)}")
    return (
        "Error of the logits against the error of the weights (above) and against the output "
        "error of the layers on the calibration text (below), over all codecs and rates. "
        f"Spearman's coefficients: {'; '.join(said)}."
    )
