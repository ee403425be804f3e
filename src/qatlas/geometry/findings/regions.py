"""How large the regions of errors are, and whether drawn weights keep to them."""

from collections.abc import Iterator, Mapping

import pandas as pd

from qatlas.geometry.findings.numbers import numbers
from qatlas.summary import Claim, Value, claim

_REGIONS = "geometry/tables/regions.parquet"
_LAYERS = "geometry/tables/region_layers.parquet"
_AXES = "geometry/tables/region_axes.parquet"
_PRINCIPAL = "geometry/tables/principal_axes.parquet"
_PROJECTIONS = "geometry/tables/projections.parquet"
_CIRCLE = "geometry/tables/circle.parquet"
_ROUNDING = 1e-9
"""By how much sums may miss what they are equal to."""


def values(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Value]]:
    """Values named by dimension and experiment, such as ``2d.full.volume``."""
    for row in tables["regions"].to_dict("records"):
        name = f"{row['dimension']}d.{row['experiment']}"
        power = f"{row['space']}^{row['dimension']}"
        yield f"{name}.volume", Value(value=row["volume"], unit=power, origin=_REGIONS)
        shares = {
            "bounding_box_efficiency": _ratio(row["volume"], row["hull_volume"]),
            "worst_over_rms": _ratio(row["worst"], row["rms"]),
            "monte_carlo.inside": row["inside"],
            "monte_carlo.largest_gauge": row["largest_gauge"],
            "monte_carlo.support_reached": _known(row["support_reached"]),
            "monte_carlo.whole_gauge": _known(row["whole_gauge"]),
        }
        for column, share in shares.items():
            yield f"{name}.{column}", Value(value=share, unit="1", origin=_REGIONS)
        lengths = {
            "worst": "worst",
            "rms": "rms",
            "drawn_rms": "monte_carlo.rms",
            "drawn": "monte_carlo.longest",
        }
        for column, called in lengths.items():
            length = Value(value=row[column], unit=row["space"], origin=_REGIONS)
            yield f"{name}.{called}", length
        yield f"{name}.space", Value(value=row["space"], unit="1", origin=_REGIONS)
        yield from _of_axes(name, row["space"], _of(tables["region_axes"], row))
        yield from _of_layers(name, power, _of(tables["region_layers"], row))
        yield from _of_principal_axes(name, row["space"], _of(tables["principal_axes"], row))
        yield from _of_projections(name, row["space"], _of(tables["projections"], row))
        if name == "2d.full":
            yield from _of_circle(row["space"], tables["circle"])


def claims(regions: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    """Whether regions hold all errors of drawn weights, and are no larger than they must be."""
    for row in regions.to_dict("records"):
        name = f"{row['dimension']}d.{row['experiment']}"
        called = f"{row['experiment'].replace('_', ' ')} layers of {row['dimension']} channels"
        yield (
            f"{name}.region_holds_all_errors",
            claim(
                f"The region of errors of {called} holds those of all drawn weights (share).",
                row["inside"],
                row["inside"] == 1,
                1,
                _REGIONS,
            ),
        )
        reached = _known(row["support_reached"])
        yield (
            f"{name}.support_is_reached",
            claim(
                f"Weights chosen for any face of the region of errors of {called} reach it (least "
                "share of the support).",
                reached,
                reached is not None and reached >= 1 - _ROUNDING,
                1,
                _REGIONS,
            ),
        )


def _of(rows: pd.DataFrame, row: Mapping[str, object]) -> pd.DataFrame:
    same = (rows.dimension == row["dimension"]) & (rows.experiment == row["experiment"])
    return rows[same]


def _of_axes(name: str, space: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    total = rows[rows.layer.isna()].sort_values("axis")
    columns = {
        "bounding_box": (2 * total.half_width, f"{space}, width per axis"),
        "relative_error": (total.relative_error, "1, width / (2 |value|) per axis"),
        "sensitivity": (total.sensitivity, "1, over the mean of the axes"),
        "rms_by_axis": (total.rms, f"{space}, per axis"),
    }
    for column, (found, unit) in columns.items():
        yield f"{name}.{column}", Value(value=numbers(found), unit=unit, origin=_AXES)
    layers = rows.dropna(subset="layer").sort_values(["layer", "axis"])
    boxes = tuple(numbers(layer.box_half_width) for _, layer in layers.groupby("layer"))
    unit = "output of the layer, per layer and axis"
    yield f"{name}.half_widths", Value(value=boxes, unit=unit, origin=_AXES)


def _of_layers(name: str, power: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    layers = rows.sort_values("layer")
    efficiency = (layers.volume / layers.hull_volume).where(layers.hull_volume > 0)
    columns = {
        "layers.spectral_norm": (layers.spectral_norm, "1"),
        "layers.determinant": (layers.determinant, "1"),
        "layers.condition_number": (layers.condition_number, "1"),
        "layers.volume": (layers.volume, power),
        "layers.sum_volume": (layers.sum_volume, power),
        "layers.bounding_box_efficiency": (efficiency, "1"),
    }
    for column, (found, unit) in columns.items():
        value = Value(value=numbers(found), unit=f"{unit}, per layer", origin=_LAYERS)
        yield f"{name}.{column}", value


def _of_principal_axes(name: str, space: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for of, axes in rows.sort_values("rank").groupby("of"):
        known = f"{name}.principal_axes.{of}"
        deviations = Value(value=numbers(axes.deviation), unit=space, origin=_PRINCIPAL)
        yield f"{known}.deviations", deviations
        directions = axes[["x", "y", "z"]].dropna(axis="columns")
        rows_of = tuple(numbers(direction) for _, direction in directions.iterrows())
        yield f"{known}.directions", Value(value=rows_of, unit="1", origin=_PRINCIPAL)


def _of_projections(name: str, space: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    """Area of each shadow, and the share of its bounding box that it fills."""
    for row in rows.to_dict("records"):
        known = f"{name}.projections.{row['first']}{row['second']}"
        yield f"{known}.area", Value(value=row["area"], unit=f"{space}^2", origin=_PROJECTIONS)
        share = _ratio(row["area"], row["hull_area"])
        value = Value(value=share, unit="1", origin=_PROJECTIONS)
        yield f"{known}.bounding_box_efficiency", value


def _of_circle(space: str, circle: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    last = circle[circle.layer == circle.layer.max()]
    for column, unit in (
        ("worst", space),
        ("rms", space),
        ("drawn", space),
        ("area", f"{space}^2"),
    ):
        for statistic in ("min", "max", "mean"):
            found = float(last[column].agg(statistic))
            yield f"2d.circle.{column}.{statistic}", Value(value=found, unit=unit, origin=_CIRCLE)


def _known(value: float) -> float | None:
    return None if pd.isna(value) else value


def _ratio(one: float, other: float) -> float | None:
    return one / other if other else None
