"""How large errors of sets of inputs are, what shape they have, and how they grow by layer."""

from collections.abc import Iterator, Mapping

import pandas as pd

from qatlas.geometry.findings.numbers import INFINITE, number, numbers
from qatlas.geometry.manifolds.magnitudes import LinearFit, linear_fit
from qatlas.summary import Claim, Value, claim

_STATISTICS = "geometry/tables/manifold_statistics.parquet"
_HEAT_MAP = "geometry/tables/heat_map.parquet"
_TRANSFORM = "geometry/tables/error_transform.parquet"
_GROWTH = "geometry/tables/error_growth.parquet"
_LENGTHS = ("minimum", "maximum", "mean", "deviation", "mean_rms")
_SHARES = ("variation_ratio", "correlation_l1", "drawn_share")
LINEAR = 0.95
"""Share of the variance that a fit explains, from which on it is called linear here."""


def values(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Value]]:
    """Values named by set, and of the heat map, the error transform and integer inference."""
    for row in tables["manifold_statistics"].to_dict("records"):
        for column in (*_LENGTHS, *_SHARES):
            unit = row["space"] if column in _LENGTHS else "1"
            value = Value(value=number(row[column]), unit=unit, origin=_STATISTICS)
            yield f"manifolds.{row['manifold']}.{column}", value
    fit = heat_map_fit(tables["heat_map"])
    for name, found in (("slope", fit.slope), ("intercept", fit.intercept)):
        unit = str(tables["manifold_statistics"].space.iloc[0])
        yield f"heat_map.{name}", Value(value=found, unit=unit, origin=_HEAT_MAP)
    yield "heat_map.r_squared", Value(value=fit.r_squared, unit="1", origin=_HEAT_MAP)
    yield from _of_transform(tables["error_transform"].sort_values("rank"))
    yield from _of_growth(tables["error_growth"])


def claims(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Claim]]:
    """Whether errors follow ||x||_1, and what quantizing activations adds."""
    explained = heat_map_fit(tables["heat_map"]).r_squared
    yield (
        "heat_map.error_is_linear_in_the_l1_norm",
        claim(
            "The largest error over the square of inputs is linear in ||x||_1 (R^2).",
            explained,
            explained is not None and explained >= LINEAR,
            LINEAR,
            _HEAT_MAP,
        ),
    )
    for row in tables["manifold_statistics"].to_dict("records"):
        share = number(row["drawn_share"])
        known = share if isinstance(share, float) else None
        yield (
            f"manifolds.{row['manifold']}.no_drawn_error_is_longer",
            claim(
                f"No drawn weights make a longer error at an input of {row['manifold']} than the "
                "region's longest (largest ratio).",
                known,
                known is not None and known <= 1,
                1,
                _STATISTICS,
            ),
        )
    growth = tables["error_growth"]
    last = growth[growth.layer == growth.layer.max()]
    for bits, rows in last.groupby("bits"):
        by_way = rows.pivot(index="manifold", columns="quantized", values="mean_error")
        ratio = float((by_way.weights_and_activations / by_way.weights).min())
        yield (
            f"fake_quantization.{bits}bit.activations_add_error",
            claim(
                f"At {bits} bits quantizing activations too makes the mean error of every set of "
                "inputs larger (smallest ratio).",
                ratio,
                ratio > 1,
                1,
                _GROWTH,
            ),
        )


def heat_map_fit(rows: pd.DataFrame) -> LinearFit:
    """Of the largest error to ||x||_1."""
    return linear_fit(rows.l1.to_numpy(), rows.worst.to_numpy())


def _of_transform(rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    singular = numbers(rows.singular_value)
    largest, smallest = rows.singular_value.iloc[0], rows.singular_value.iloc[-1]
    known = {
        "singular_values": singular,
        "condition_number": largest / smallest if smallest else INFINITE,
        "input_directions": tuple(map(numbers, rows[["input_x", "input_y"]].to_numpy())),
        "output_directions": tuple(map(numbers, rows[["output_x", "output_y"]].to_numpy())),
    }
    for name, value in known.items():
        yield f"error_transform.{name}", Value(value=value, unit="1", origin=_TRANSFORM)


def _of_growth(growth: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    key = ["quantized", "bits", "manifold"]
    for (quantized, bits, manifold), rows in growth.sort_values("layer").groupby(key):
        for column in ("mean_error", "max_error", "rms_error"):
            yield (
                f"fake_quantization.{quantized}.{bits}bit.{manifold}.{column}",
                Value(
                    value=numbers(rows[column]),
                    unit="value of the layer, per layer",
                    origin=_GROWTH,
                ),
            )
