"""Curves of one tensor of each model, the example first, with their limits."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.envelopes import with_best
from qatlas.family_curves import draw_families, draw_legend, panels_of_models
from qatlas.plotting import shorten
from qatlas.rate_distortion.drawing import LIMITS, draw_limits

QUANTITIES = [
    f"{quantity}{end}" for quantity in ("nmse", "gap_shannon_bits") for end in ("", "_low", "_high")
]
"""What curves may show of a point, with both ends of its 95 % interval."""

_KEY = ["model", "tensor"]


def select_curves(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Measured points and limits as one tidy table of curves.

    The models stand in order, the example's first; of the others the largest tensor is taken.
    Limits are the rows whose codec is "limit"; ``best`` tells the points on the lower hull of their
    family.
    """
    measurements = tables["measurements"]
    by_size = measurements.sort_values(["weights", "tensor"], ascending=[False, True])
    largest = by_size.drop_duplicates("model").set_index("model").tensor.to_dict()
    others = sorted(largest.keys() - {settings.example.model})
    chosen = pd.DataFrame(
        {
            "model": [settings.example.model, *others],
            "tensor": [settings.example.tensor, *(largest[model] for model in others)],
        }
    )
    order = ["codec", "series", "nominal_bits"]
    points = with_intervals(chosen.merge(measurements.sort_values(order), on=_KEY))[
        [*_KEY, "codec", "series", "rate_bits_per_weight", *QUANTITIES]
    ]
    bounds = chosen.merge(tables["bounds"], on=_KEY)
    limits = [
        bounds[[*_KEY, "nmse"]].assign(
            codec="limit",
            series=column,
            rate_bits_per_weight=bounds[column],
            gap_shannon_bits=bounds[column] - bounds.shannon_bits,
            best=False,
        )
        for column in LIMITS
    ]
    return pd.concat([with_best(points, _KEY), *limits], ignore_index=True)


def with_intervals(points: pd.DataFrame) -> pd.DataFrame:
    """Both ends of each quantity's 95 % interval; its value where all weights were measured."""
    intervals = {}
    for end in ("low", "high"):
        ratio = (points[f"mse_{end}"] / points.mse).where(points.mse > 0, 1).clip(lower=1e-9)
        intervals[f"nmse_{end}"] = points.nmse * ratio
        intervals[f"gap_shannon_bits_{end}"] = points.gap_shannon_bits + 0.5 * np.log2(ratio)
    return points.assign(**intervals)


def draw_panels(drawn: pd.DataFrame, quantity: str, height: float) -> tuple[Figure, list[Axes]]:
    """A panel a model, ``quantity`` against rate for every series and limit, one legend."""
    models = drawn.model.unique()
    figure, panels = panels_of_models(models, height)
    for model, panel in zip(models, panels, strict=True):
        rows = drawn[drawn.model == model]
        panel.set_title(shorten(f"{model}: {rows.tensor.iloc[0]}", 56))
        draw_families(panel, rows[rows.codec != "limit"], quantity)
        draw_limits(panel, rows[rows.codec == "limit"], quantity)
    draw_legend(figure, panels, 4)
    return figure, panels
