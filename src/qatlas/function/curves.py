"""What becomes of the output against the true rate: a panel a language model."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.envelopes import with_best
from qatlas.family_curves import draw_families, draw_legend
from qatlas.function.first_seed import of_first_seed
from qatlas.plotting import BOUND, FULL_WIDTH, GREY, new_figure, readable

RATE = "true rate (bits per weight)"
_NOISE: dict[str, Any] = {"color": GREY, "linestyle": (0, (1, 1.2)), "linewidth": 1.0, "zorder": 1}


def select_curves(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All points of the first training of each model; the best of a family is that of least KL."""
    columns = ["model", "codec", "series", "nominal_bits", "rate_bits_per_weight", "nmse"]
    return first_trainings(tables["evaluations"])[[*columns, "perplexity", "mean_kl", "best"]]


def first_trainings(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first training of each model, with ``best``: on its family's hull by mean KL."""
    rows = of_first_seed(evaluations)
    judged = with_best(rows.assign(nmse=rows.mean_kl), by=["model"])
    return rows.assign(best=judged.best)


def draw_curves(drawn: pd.DataFrame, quantity: str, label: str) -> tuple[Figure, list[Axes]]:
    """A panel a model: families, and as level lines the model itself and its noise floor."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 3.4, 1, len(models), sharey=True)
    for model, panel in zip(models, panels, strict=True):
        points = drawn[drawn.model == model]
        floats = points[points.codec == "cast"].set_index("series")[quantity]
        draw_families(panel, points[points.codec != "cast"], quantity)
        if floats["float32"] > 0:
            panel.axhline(floats["float32"], label="the model itself", **BOUND)
        panel.axhline(floats["bfloat16"], label="computed in bfloat16", **_NOISE)
        panel.set(title=readable(model), xlabel=RATE, yscale="log", xlim=(0, 9))
    panels[0].set_ylabel(label)
    draw_legend(figure, panels, 5)
    return figure, panels
