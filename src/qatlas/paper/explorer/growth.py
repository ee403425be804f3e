"""How errors of products by look-up grow with the number of steps."""

import numpy as np
import pandas as pd

from qatlas.lut.drawing import ENCODING_COLOURS, label
from qatlas.lut.simulation.drawing import METHOD_DASHES, OPERATIONS
from qatlas.paper.explorer.content import Dataset, Facet, Family, Field, Limit
from qatlas.paper.explorer.scopes import Block, Scopes

_MOST_LEVELS = 256
"""Levels of the table that is shown unasked, at most."""
FIELDS = (
    Field("series", "table and method", "table, method"),
    Field("family", "encoding"),
    Field("method", "method"),
    Field("at", "steps", "steps"),
    Field("rms_error", "RMS error", "RMS error"),
    Field("mean_absolute_error", "mean |error|", "mean |error|"),
    Field("median_absolute_error", "median |error|"),
    Field("low_absolute_error", "|error|, 5 % of trajectories"),
    Field("high_absolute_error", "|error|, 95 % of trajectories"),
    Field("mean_error", "mean error", "mean error"),
    Field("deviation", "standard deviation of the error"),
)
QUANTITIES = ("rms_error", "mean_absolute_error")
_LAWS = {"random_walk": ("random walk, √n", 0.5), "bias": ("bias, n", 1.0)}
_BELOW = 0.6
"""Laws start at so much of the least error, below all lines."""


def growth_dataset(trajectories: pd.DataFrame, job: str) -> Dataset:
    """Errors of all simulated tables and methods by step; nearest look-up stands out.

    Parameters
    ----------
    trajectories
        The table of that name.
    job
        Name of the job that simulated them.
    """
    methods = {method: place for place, method in enumerate(METHOD_DASHES)}
    rows = trajectories.assign(
        operation=pd.Categorical(trajectories.operation, list(OPERATIONS)),
        family=trajectories.table,
        series=trajectories.table + " " + trajectories.method,
        at=trajectories.step,
        best=trajectories.method == next(iter(METHOD_DASHES)),
        job=0.0,
        place=trajectories.method.map(methods),
    ).sort_values(["family", "place", "at"])
    kept = [*(field.column for field in FIELDS), "best", "job"]
    scopes = Scopes()
    facets = ["operation", "size", "range", "reference"]
    for values, points in rows.groupby(facets, observed=True):
        choice = {facet: _written(value) for facet, value in zip(facets, values, strict=True)}
        scopes.add(Block(points[kept], _laws(points), 1, finest=True), [choice])
    found, drawn, limits = scopes.tables()
    return Dataset(
        facets=(
            Facet("operation", "Operation"),
            Facet("size", "Levels of an operand", first=_shown_size(trajectories)),
            Facet("range", "Range R"),
            Facet("reference", "Compared with", first="float64"),
        ),
        scopes=found,
        rows=drawn,
        limits=limits,
        fields=FIELDS,
        families=[
            Family(name, label(name), ENCODING_COLOURS[name])
            for name in ENCODING_COLOURS
            if name in set(drawn.family)
        ],
        drawn_limits=[
            Limit(name, words, dashes)
            for (name, (words, _)), dashes in zip(
                _LAWS.items(), ((1.0, 1.2), (6.0, 2.0)), strict=True
            )
        ],
        jobs=[job],
        at_label="steps",
        families_label="Encodings",
        series_label="method",
    )


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown_size(trajectories: pd.DataFrame) -> str:
    sizes = trajectories["size"]
    return str(sizes[sizes <= _MOST_LEVELS].max() if (sizes <= _MOST_LEVELS).any() else sizes.min())


def _laws(points: pd.DataFrame) -> pd.DataFrame:
    """Lines of the slopes of a random walk and of a bias, below all errors."""
    steps = np.array([1.0, points["at"].max()])
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "quantity": quantity,
                    "limit": law,
                    "x": steps,
                    "y": _BELOW * points[quantity][points[quantity] > 0].min() * steps**slope,
                }
            )
            for quantity in QUANTITIES
            for law, (_, slope) in _LAWS.items()
        ],
        ignore_index=True,
    )
