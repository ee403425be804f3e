"""Rows of the tables of the layers of trained models, each from what was seen of one layer."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.layers.capture import Seen
from qatlas.geometry.layers.corrections import recovered
from qatlas.geometry.layers.flips import (
    biased_flip_rate,
    flipped,
    gaussian_flip_rate,
    unitwise_flip_rate,
)
from qatlas.geometry.layers.rounding import RoundedLayer
from qatlas.geometry.layers.shares import Mlp, shares
from qatlas.geometry.layers.spectrum import (
    cell_participation,
    drawn_from_cell,
    entropy_dimension,
    participation,
    participation_of,
    predicted_participation,
    transported_spectrum,
)
from qatlas.geometry.layers.support import (
    Extent,
    dense_law,
    input_rounding,
    product_law,
    random_directions,
    weight_rounding,
)
from qatlas.models.layers import Layer

Array = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Row = dict[str, Any]

# About four to an octave.
_RANKS = np.unique(np.rint(2 ** (np.arange(60) / 4)).astype(int))


def layer_columns(layer: Layer) -> Row:
    """Columns that name a layer in every table."""
    return {"tensor": layer.tensor, "kind": layer.role.kind, "layer": layer.role.layer}


def spectrum_row(found: RoundedLayer, given: Array, inputs: Floats) -> Row:
    """Row of ``layer_spectra``.

    Parameters
    ----------
    given
        Inputs of the layer, shape (tokens, inputs).
    inputs
        Their covariance.
    """
    eigenvalues = transported_spectrum(found.error, inputs)
    power = float((given.astype(np.float64) ** 2).sum(axis=1).mean())
    mean = found.error @ given.mean(axis=0, dtype=np.float64)
    outputs, columns = found.error.shape
    energy = float(eigenvalues.sum() + mean @ mean)
    return {
        **layer_columns(found.layer),
        "outputs": outputs,
        "inputs": columns,
        "tokens": len(given),
        "input_participation": participation_of(inputs),
        "participation": participation(eigenvalues),
        "entropy_dimension": entropy_dimension(eigenvalues),
        "cell_participation": cell_participation(found.steps),
        "predicted_participation": predicted_participation(found.steps, inputs),
        "rms": np.sqrt(energy / outputs),
        "predicted_rms": np.sqrt(power * float((found.steps**2).mean()) / 12),
        "mean_share": float(mean @ mean) / energy,
    }


def eigenvalue_rows(
    found: RoundedLayer, inputs: Floats, random: np.random.Generator
) -> Iterator[Row]:
    """Rows of ``layer_eigenvalues``, at ranks that do not depend on how many there are."""
    drawn = drawn_from_cell(found.steps, found.error.shape[1], random)
    spectra = [transported_spectrum(error, inputs) for error in (found.error, drawn)]
    ranks = [int(rank) for rank in _RANKS if rank <= len(spectra[0])]
    for rank in ranks:
        measured, simulated = (float(values[rank - 1] / values.sum()) for values in spectra)
        named = {**layer_columns(found.layer), "rank": rank}
        yield {**named, "measured": measured, "drawn": simulated}


def support_rows(
    found: RoundedLayer, given: Array, number: int, random: np.random.Generator
) -> Iterator[Row]:
    """Rows of ``layer_supports``."""
    weight = found.layer.weight.double().numpy()
    directions = random_directions(number, len(weight), random)
    chosen = np.sort(random.choice(len(given), min(number, len(given)), replace=False))
    extents: dict[str, tuple[Extent, int, float]] = {
        "weights": (
            weight_rounding(found.steps, given[chosen].astype(np.float64), directions),
            weight.size,
            product_law(weight.size),
        ),
        "inputs": (
            input_rounding(weight, directions),
            weight.shape[1],
            dense_law(weight.shape[1]),
        ),
    }
    for source, (extent, generators, law) in extents.items():
        yield {
            **layer_columns(found.layer),
            "source": source,
            "generators": generators,
            "directions": number,
            "ratio": float(extent.ratio.mean()),
            "lowest": float(extent.ratio.min()),
            "highest": float(extent.ratio.max()),
            "law": law,
        }


def flip_row(layer: Layer, exact: Array, errors: Array, activated: bool) -> Row:
    """Row of ``layer_flips`` from outputs and their errors, shape (tokens, outputs)."""
    error, signal = (float(np.sqrt((v.astype(np.float64) ** 2).mean())) for v in (errors, exact))
    return {
        **layer_columns(layer),
        "activated": activated,
        "error_over_signal": error / signal,
        "flip_rate": float(flipped(exact, exact + errors).mean()),
        "law": gaussian_flip_rate(error, signal),
        "law_by_unit": unitwise_flip_rate(exact, errors),
        "law_with_means": biased_flip_rate(exact, errors),
    }


def share_row(mlp: Mlp, exact: Seen, quantized: Seen) -> Row:
    """Row of ``layer_shares``."""
    gate, down = mlp.gate.tensor, mlp.down.tensor
    turned = flipped(exact.outputs[gate], quantized.outputs[gate])
    error = quantized.inputs[down] - exact.inputs[down]
    found = shares(turned, error, mlp.down.weight.numpy())
    return {"layer": mlp.gate.role.layer, **asdict(found)}


def correction_rows(
    layer: Layer, exact: Array, quantized: Array, clusters: int, random: np.random.Generator
) -> Iterator[Row]:
    """Rows of ``layer_corrections`` from outputs, shape (tokens, outputs)."""
    y, y_hat = exact.astype(np.float64), quantized.astype(np.float64)
    relative = float(np.linalg.norm(y_hat - y) / np.linalg.norm(y))
    outputs, inputs = layer.weight.shape
    for found in recovered(y, y_hat, clusters, random):
        yield {
            **layer_columns(layer),
            "outputs": outputs,
            "inputs": inputs,
            "relative_error": relative,
            **asdict(found),
        }
