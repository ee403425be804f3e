"""Everything that is measured of the network that is corrected, as rows of its tables."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.config.geometry_correction import Correction
from qatlas.geometry.correction.cascade import (
    CORRECTIONS,
    CascadeStep,
    cascade,
    no_correction,
)
from qatlas.geometry.correction.cascade import Correction as LayerCorrection
from qatlas.geometry.correction.energy import energy, topological
from qatlas.geometry.correction.ladder import Corrected, correct, residuals
from qatlas.geometry.correction.network import Pass, run
from qatlas.geometry.correction.partition import Cell, cells, changed_area, square
from qatlas.geometry.correction.toy import Toy, first_layer, toy_of
from qatlas.geometry.points import in_square
from qatlas.geometry.transport import fit_full, halves, linear_cka, rms
from qatlas.seeds import generator

Floats = NDArray[np.float64]
Row = dict[str, Any]


def measure(settings: Correction, seed: int) -> dict[str, list[Row]]:
    """Rows of every table, by its name.

    Parameters
    ----------
    seed
        Configured seed, from which all randomness derives.

    Raises
    ------
    AtlasError
        If a layer is given nothing but zeros.
    """
    toy = toy_of(settings)
    parts = cells(first_layer(toy.network), first_layer(toy.quantized), square(settings.extent))
    samples = in_square(settings.extent, settings.area_samples, generator(seed, "toy", "area"))
    area = 4 * settings.extent**2
    rows: dict[str, list[Row]] = {
        "toy_cells": [row for number, cell in enumerate(parts) for row in _cell(number, cell)],
        "toy_areas": [
            {**_sampled_area(toy, "weights", samples, area), "changed_area": changed_area(parts)},
            {**_sampled_area(toy, "weights_and_activations", samples, area), "changed_area": None},
        ],
        "toy_cascades": [row for name in toy.grids for row in _cascades(toy, name)],
    }
    of_passes: dict[str, list[Row]] = {
        "toy_points": [],
        "toy_energies": [],
        "toy_residuals": [],
        "toy_region_residuals": [],
        "toy_alignments": [],
    }
    for named, exact, quantized in toy.passes():
        names = ("toy", *named.values())
        corrected = correct(exact, quantized, generator(seed, *names, "correction"))
        found = {
            "toy_points": _points(toy.inputs[named["inputs"]], exact, quantized),
            "toy_energies": _energies(exact, quantized),
            "toy_residuals": _residuals(corrected),
            "toy_region_residuals": _regions(corrected, toy.network.hidden_units),
            "toy_alignments": _alignments(exact, quantized, generator(seed, *names, "alignment")),
        }
        for table, members in found.items():
            of_passes[table] += [named | row for row in members]
    return rows | of_passes


def written(pattern: NDArray[np.bool_]) -> str:
    """A sign pattern as digits."""
    return "".join("1" if on else "0" for on in pattern)


def _cell(number: int, cell: Cell) -> Iterator[Row]:
    patterns = {"before": written(cell.before), "after": written(cell.after)}
    for x, y in cell.vertices:
        yield {"cell": number, **patterns, "area": cell.area, "x": x, "y": y}


def _sampled_area(toy: Toy, quantization: str, samples: Floats, area: float) -> Row:
    changed = topological(run(toy.network, samples), toy.rounded(quantization, samples))
    share, number = float(changed.mean()), len(samples)
    return {
        "quantization": quantization,
        "area": area,
        "sampled_changed_area": area * share,
        "standard_error": area * float(np.sqrt(share * (1 - share) / number)),
        "samples": number,
    }


def _points(inputs: Floats, exact: Pass, quantized: Pass) -> Iterator[Row]:
    changed = topological(exact, quantized)
    for point, (given, y, y_hat) in enumerate(
        zip(inputs, exact.output, quantized.output, strict=True)
    ):
        yield {
            "point": point,
            "x": given[0],
            "y": given[1],
            "float_x": y[0],
            "float_y": y[1],
            "quantized_x": y_hat[0],
            "quantized_y": y_hat[1],
            "topological": bool(changed[point]),
        }


def _energies(exact: Pass, quantized: Pass) -> Iterator[Row]:
    found = energy(quantized.output - exact.output, topological(exact, quantized))
    yield {**asdict(found), "topological_share": found.topological_share}


def _residuals(corrected: Corrected) -> Iterator[Row]:
    for found in residuals(corrected):
        yield {
            "correction": found.rung,
            "error_class": found.points_of,
            "held_out": found.points,
            "rms": found.rms,
            "recovered": found.recovered,
        }


def _regions(corrected: Corrected, units: int) -> Iterator[Row]:
    pairs = np.stack([corrected.before, corrected.after], axis=1)
    for before, after in np.unique(pairs, axis=0):
        members = (pairs == (before, after)).all(axis=1)
        for rung, errors in corrected.residuals.items():
            yield {
                "correction": rung,
                "before": _digits(before, units),
                "after": _digits(after, units),
                "held_out": int(members.sum()),
                "rms": rms(errors[members]),
            }


def _digits(number: int, units: int) -> str:
    """The sign pattern of a number of ``pattern_numbers``."""
    return written((number >> np.arange(units)) & 1 == 1)


def _alignments(exact: Pass, quantized: Pass, random: np.random.Generator) -> Iterator[Row]:
    fit, test = halves(len(exact.output), random)
    last = len(exact.preactivations)
    for layer in range(1, last + 1):
        a, a_hat = (
            p.output if layer == last else np.maximum(p.preactivations[layer - 1], 0)
            for p in (exact, quantized)
        )
        aligned = fit_full(a_hat[fit], a[fit])(a_hat[test])
        yield {
            "layer": layer,
            "scale": rms(a[test]),
            "raw_rms": rms(a_hat[test] - a[test]),
            "aligned_rms": rms(aligned - a[test]),
            "cka": linear_cka(a_hat[test], a[test]),
        }


def _cascades(toy: Toy, quantization: str) -> Iterator[Row]:
    layers = len(toy.network.weights)
    for name, correction in CORRECTIONS.items():
        for called, chosen in _which_layers(layers).items():
            plan: list[LayerCorrection] = [
                correction if layer in chosen else no_correction for layer in range(layers)
            ]
            steps = cascade(
                toy.network, toy.quantized, toy.inputs["grid"], plan, toy.grids[quantization]
            )
            for layer, step in enumerate(steps, start=1):
                named = {"quantization": quantization, "correction": name, "corrected": called}
                yield {**named, "layer": layer, **_of_step(step)}


def _which_layers(layers: int) -> dict[str, Sequence[int]]:
    return {"none": (), "first": (0,), "last": (layers - 1,), "all": range(layers)}


def _of_step(step: CascadeStep) -> Row:
    return {
        "correction_rms": rms(step.correction),
        "before_rms": rms(step.before),
        "after_rms": rms(step.after),
    }
