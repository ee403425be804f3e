"""Which codecs nobody beats in rate and error at once: the Pareto front."""

import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.envelopes import on_front
from qatlas.rate_distortion.averages import mean_points
from qatlas.rate_distortion.operating_points import BITS
from qatlas.summary import Value

SCOPES = ("example", "model")
"""The example's tensor alone, and the mean over all weights of its model."""

EQUAL_RATES_BITS = 0.01
"""What a scale or two a tensor may add to a rate before it counts as more bits."""

_ORIGIN = "rate_distortion/tables/measurements.parquet"


def front_points(measurements: pd.DataFrame, settings: RateDistortion) -> pd.DataFrame:
    """All points of both scopes, with the columns scope and front (whether on it)."""
    rows = measurements[measurements.model == settings.example.model]
    example = rows[rows.tensor == settings.example.tensor]
    scopes = []
    for scope, tensors in zip(SCOPES, (example, rows), strict=True):
        points = mean_points(tensors, ["model"])
        front = on_front(points.rate_bits_per_weight, points.nmse, EQUAL_RATES_BITS)
        scopes.append(points.assign(scope=scope, front=front))
    return pd.concat(scopes, ignore_index=True)


def front_values(measurements: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """How many points are on the front, and who is at the end of it at 2, 3 and 4 bits."""
    points = front_points(measurements, settings)
    values = {}
    for scope in SCOPES:
        of_scope = points[points.scope == scope]
        if of_scope.empty:
            continue
        counts = {"points": len(of_scope), "points_on_front": int(of_scope.front.sum())}
        for name, count in counts.items():
            values[f"front.{scope}.{name}"] = Value(value=count, unit="points", origin=_ORIGIN)
        front = of_scope[of_scope.front]
        for bits in BITS:
            within = front[front.rate_bits_per_weight <= bits + EQUAL_RATES_BITS]
            if not within.empty:
                best = within.loc[within.nmse.idxmin()]
                values[f"front.{scope}.{bits}bit.series"] = Value(
                    value=best.series, unit="series", origin=_ORIGIN
                )
    return values
