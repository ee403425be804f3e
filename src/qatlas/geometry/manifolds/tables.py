"""Every table of sets of inputs."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from qatlas.config.geometry import Geometry
from qatlas.geometry.experiments.monte_carlo import longest_drawn
from qatlas.geometry.experiments.named import at_inputs
from qatlas.geometry.experiments.transport import rms, transport
from qatlas.geometry.fake_quantization import (
    exact_values,
    quantized_weights,
    quantized_weights_and_activations,
)
from qatlas.geometry.grid import rounded, step_of
from qatlas.geometry.manifolds.error_transform import error_transform
from qatlas.geometry.manifolds.magnitudes import magnitudes, worst_errors
from qatlas.geometry.manifolds.shapes import sample_all
from qatlas.geometry.points import grid
from qatlas.geometry.sets.zonotope import Floats
from qatlas.seeds import generator

Row = dict[str, Any]

INFERENCE: dict[str, Callable[[Floats, Floats, int], Floats]] = {
    "weights": quantized_weights,
    "weights_and_activations": quantized_weights_and_activations,
}
"""What is made integers, by the name of it in tables."""


def manifold_tables(settings: Geometry, seed: int) -> dict[str, list[Row]]:
    """Rows of the tables of ``MANIFOLD_TABLES``, by the names of the tables."""
    weights, step = np.array(settings.plane.full), step_of(settings.bits)
    sections = settings.manifolds
    whole = error_transform(weights, rounded(weights, step))
    errors, statistics = [], []
    for name, inputs in sample_all(sections.shapes, sections.points, seed):
        rows = _sizes(settings, inputs, generator(seed, "geometry", name, "drawn"))
        worst = np.array([row["worst"] for row in rows])
        errors += [{"manifold": name, "point": point, **row} for point, row in enumerate(rows)]
        statistics.append(
            {
                "manifold": name,
                "points": len(inputs),
                "space": transport(rounded(weights, step)).space,
                **asdict(magnitudes(worst, inputs)),
                "mean_rms": float(np.mean([row["rms"] for row in rows])),
                "drawn_share": max(
                    (row["drawn"] / row["worst"] for row in rows if row["worst"]), default=None
                ),
            }
        )
    integers = list(_inferred(settings, weights, seed))
    return {
        "manifold_errors": errors,
        "manifold_statistics": statistics,
        "heat_map": _sizes(
            settings,
            grid(sections.heat_map.half_width, sections.heat_map.side),
            generator(seed, "geometry", "heat_map", "drawn"),
        ),
        "error_manifolds": [
            {**row, "error_x": error_x, "error_y": error_y}
            for name, inputs in sample_all(sections.shapes, sections.error_points, seed)
            for row, (error_x, error_y) in zip(
                _inputs(name, inputs), inputs @ whole.matrix.T, strict=True
            )
        ],
        "error_transform": [
            {
                "rank": rank + 1,
                "singular_value": value,
                **_vector("input", whole.input_directions[rank]),
                **_vector("output", whole.output_directions[rank]),
            }
            for rank, value in enumerate(whole.singular_values)
        ],
        "fake_quantization": [
            {
                **key,
                **row,
                "layer": layer + 1,
                **_vector("value", value),
                **_vector("error", value - exact),
            }
            for key, name, inputs, found in integers
            for layer, (values, expected) in enumerate(
                zip(found, exact_values(weights, inputs), strict=True)
            )
            for row, value, exact in zip(_inputs(name, inputs), values, expected, strict=True)
        ],
        "error_growth": [
            {**key, "manifold": name, "layer": layer + 1, **_lengths(errors)}
            for key, name, inputs, found in integers
            for layer, errors in enumerate(found - exact_values(weights, inputs))
        ],
    }


def _sizes(settings: Geometry, inputs: Floats, random: np.random.Generator) -> list[Row]:
    """Inputs with their largest errors, those of random weights, and those of drawn ones."""
    layers = at_inputs(settings.plane, inputs, step_of(settings.bits))
    by = transport(layers.weights)
    columns = {
        "x": inputs[:, 0],
        "y": inputs[:, 1],
        "l1": np.abs(inputs).sum(axis=1),
        "worst": worst_errors(layers, by),
        "rms": rms(layers, by),
        "drawn": longest_drawn(layers, by, settings.draws, random),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _inferred(
    settings: Geometry, weights: Floats, seed: int
) -> Iterator[tuple[Row, str, Floats, Floats]]:
    """Way and bits, name of the set, its inputs, and values after each layer, (layers, n, 2)."""
    section = settings.fake_quantization
    sets = list(sample_all(settings.manifolds.shapes, section.points, seed))
    for quantized, run in INFERENCE.items():
        for bits in section.bits:
            for name, inputs in sets:
                values = run(weights, inputs, bits)
                yield {"quantized": quantized, "bits": bits}, name, inputs, values


def _inputs(name: str, inputs: Floats) -> Iterator[Row]:
    for point, x in enumerate(inputs):
        yield {"manifold": name, "point": point, **dict(zip("xy", x, strict=True))}


def _vector(name: str, direction: Floats) -> Row:
    return {f"{name}_{axis}": part for axis, part in zip("xy", direction, strict=True)}


def _lengths(errors: Floats) -> Row:
    lengths = np.linalg.norm(errors, axis=1)
    return {
        "mean_error": float(lengths.mean()),
        "max_error": float(lengths.max()),
        "rms_error": float(np.sqrt((lengths**2).mean())),
    }
