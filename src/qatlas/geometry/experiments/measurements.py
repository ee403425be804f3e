"""Rows of the tables of regions."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from qatlas.config.geometry import Geometry
from qatlas.geometry.experiments.monte_carlo import farthest_whole_error, trial
from qatlas.geometry.experiments.named import TWIN, Experiment
from qatlas.geometry.experiments.rounding import RoundedLayers
from qatlas.geometry.experiments.transport import (
    Transport,
    error_covariance,
    layer_sets,
    region,
    rms,
)
from qatlas.geometry.sets.axes import axes_of_covariance, axes_of_points
from qatlas.geometry.sets.polygon import polygon
from qatlas.geometry.sets.polyhedron import polyhedron
from qatlas.geometry.sets.volume import areas, volume
from qatlas.geometry.sets.zonotope import (
    Floats,
    Zonotope,
    covariance,
    interval_hull,
    minkowski_sum,
)
from qatlas.seeds import generator

Row = dict[str, Any]


def region_row(made: Experiment, settings: Geometry, seed: int) -> Row:
    """Row of the table ``regions``."""
    whole, layers, by = region(made.layers, made.by), made.layers, made.by
    names = ("geometry", f"{made.dimension}d", made.name)
    found = trial(layers, by, settings.draws, generator(seed, *names, "carried"))
    return {
        **made.key(),
        "space": by.space,
        "bits": settings.bits,
        "layers": len(layers.weights),
        "volume": volume(whole),
        "hull_volume": _hull_volume(whole),
        "worst": float(np.linalg.norm(vertices(whole), axis=1).max()),
        "rms": float(rms(layers, by)),
        "drawn": found.longest,
        "draws": found.draws,
        "inside": found.inside,
        "largest_gauge": found.largest_gauge,
        "support_reached": found.reached,
        "drawn_rms": found.rms,
        # The boxes of a twin are those of other layers, so there is no network of drawn weights.
        "whole_gauge": None
        if made.name == TWIN
        else farthest_whole_error(layers, by, settings.draws, generator(seed, *names, "whole")),
    }


def layer_rows(made: Experiment) -> Iterator[Row]:
    """Rows of the table ``region_layers``."""
    sets = layer_sets(made.layers, made.by)
    for place, (errors, weight) in enumerate(zip(sets, made.layers.weights, strict=True)):
        yield {
            **made.key(),
            "layer": place + 1,
            "singular": bool(made.by.singular[place]),
            "spectral_norm": float(np.linalg.norm(weight, 2)),
            "determinant": float(np.linalg.det(weight)),
            "condition_number": float(np.linalg.cond(weight)),
            "entering_l1": float(np.abs(made.layers.entering[place]).sum()),
            "volume": volume(errors),
            "hull_volume": _hull_volume(errors),
            "sum_volume": volume(minkowski_sum(*sets[: place + 1])),
        }


def axis_rows(made: Experiment) -> Iterator[Row]:
    """Rows of the table ``region_axes``: each layer alone, then all together."""
    random = error_covariance(made.layers, made.by)
    yield from _axes(made, None, region(made.layers, made.by), random)
    for place, errors in enumerate(layer_sets(made.layers, made.by)):
        alone, by = _layer(made, place)
        yield from _axes(made, place, errors, error_covariance(alone, by))


def _layer(made: Experiment, place: int) -> tuple[RoundedLayers, Transport]:
    """One layer of an experiment and what carries its errors."""
    only = slice(place, place + 1)
    layers = replace(
        made.layers, weights=made.layers.weights[only], entering=made.layers.entering[only]
    )
    return layers, replace(made.by, matrices=made.by.matrices[only])


def _axes(made: Experiment, place: int | None, errors: Zonotope, random: Floats) -> Iterator[Row]:
    half_widths = interval_hull(errors)[1]
    relative = [
        half / abs(value) if value else None
        for half, value in zip(half_widths, made.value, strict=True)
    ]
    known = [value for value in relative if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    for axis, half in enumerate(half_widths):
        share = relative[axis]
        yield {
            **made.key(),
            "layer": None if place is None else place + 1,
            "axis": axis + 1,
            "box_half_width": None if place is None else made.layers.half_widths[place, axis],
            "half_width": half,
            "rms": float(np.sqrt(random[axis, axis])),
            "value": made.value[axis],
            "relative_error": share,
            "sensitivity": share / mean if share is not None and mean else None,
        }


def principal_axis_rows(made: Experiment) -> Iterator[Row]:
    """Rows of the table ``principal_axes``."""
    whole = region(made.layers, made.by)
    found = {
        "vertices": axes_of_points(vertices(whole)),
        "covariance": axes_of_covariance(covariance(whole)),
        "weights": axes_of_covariance(error_covariance(made.layers, made.by)),
    }
    for of, axes in found.items():
        for rank, direction in enumerate(axes.directions):
            yield {
                **made.key(),
                "of": of,
                "rank": rank + 1,
                "deviation": axes.deviations[rank],
                **_coordinates(direction),
            }


def projection_rows(made: Experiment) -> Iterator[Row]:
    """Rows of the table ``projections``; none in the plane, which has no other plane."""
    whole = region(made.layers, made.by).generators
    for axes in combinations(range(made.dimension), 2) if made.dimension > 2 else ():
        shadow = whole[list(axes)]
        yield {
            **made.key(),
            "first": axes[0] + 1,
            "second": axes[1] + 1,
            "area": float(areas(shadow)),
            "hull_area": float(np.prod(2 * np.abs(shadow).sum(axis=1))),
        }


def outline_rows(made: Experiment, point: int = 0) -> Iterator[Row]:
    """Rows of the table ``outlines``: each layer's errors, and their sums layer by layer."""
    sets = layer_sets(made.layers, made.by)
    for place, errors in enumerate(sets):
        parts = {"layer": errors, "sum": minkowski_sum(*sets[: place + 1])}
        for part, of in parts.items():
            for number, face in enumerate(_faces(of)):
                for corner in face:
                    yield {
                        **made.key(),
                        "point": point,
                        "part": part,
                        "layer": place + 1,
                        "face": number,
                        **_coordinates(corner),
                    }


def vertices(of: Zonotope) -> Floats:
    """Vertices of a set in the plane or in space around the origin, shape (n, d)."""
    return polygon(of.generators) if of.dimension == 2 else polyhedron(of).vertices


def _faces(of: Zonotope) -> list[Floats]:
    if of.dimension == 2:
        return [polygon(of.generators)]
    found = polyhedron(of)
    # What has no faces is drawn by its one or two points.
    return [found.vertices[face] for face in found.faces] or [found.vertices]


def _hull_volume(of: Zonotope) -> float:
    low, high = interval_hull(of)
    return float(np.prod(high - low))


def _coordinates(point: Floats) -> Row:
    return dict(zip("xyz", [*map(float, point), None][:3], strict=True))
