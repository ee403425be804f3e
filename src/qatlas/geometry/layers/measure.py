"""Everything that is measured of the layers of one model, as rows of the tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.config.geometry_layers import Layers
from qatlas.geometry.layers import schema
from qatlas.geometry.layers.capture import Batch, Seen, blocks_of, capture
from qatlas.geometry.layers.depth import first_order, growth
from qatlas.geometry.layers.rounding import RoundedLayer, moved, round_layers
from qatlas.geometry.layers.rows import (
    correction_rows,
    eigenvalue_rows,
    flip_row,
    share_row,
    spectrum_row,
    support_rows,
)
from qatlas.geometry.layers.shares import mlps
from qatlas.geometry.layers.spectrum import covariance
from qatlas.models.layers import Layer
from qatlas.seeds import generator

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True)
class ReadModel:
    """A model and what it reads.

    Attributes
    ----------
    name
        In the configuration.
    layers
        Those that are rounded, in the model's order.
    """

    name: str
    model: Any
    layers: Sequence[Layer]
    batches: Sequence[Batch]


def measure(
    read: ReadModel,
    settings: Layers,
    seed: int,
    progress: Callable[[Sequence[int]], Iterable[int]],
) -> dict[str, list[Row]]:
    """Rows of every table, by its name.

    Parameters
    ----------
    seed
        Configured seed, from which all randomness derives.
    progress
        Takes the bit widths and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If the model is no stack of blocks.
    CodecError
        If a weight cannot be rounded.
    """
    blocks = blocks_of(read.model, read.layers)
    exact = capture(read.model, read.layers, blocks, read.batches)
    rows: dict[str, list[Row]] = {kind.name: [] for kind in schema.TABLES}
    inputs = {name: covariance(given) for name, given in exact.inputs.items()}
    gates = {mlp.gate.tensor for mlp in mlps(read.layers)}
    for bits in progress(settings.bits):
        named = {"model": read.name, "bits": bits}
        rounded = round_layers(read.layers, bits)
        with moved(rounded, 1):
            quantized = capture(read.model, read.layers, blocks, read.batches)
        for found in rounded:
            tensor = found.layer.tensor
            given, covered = exact.inputs[tensor], inputs[tensor]
            rows["layer_spectra"].append(named | spectrum_row(found, given, covered))
            for scope, errors in _errors(found, exact, quantized).items():
                activated = tensor in gates
                row = flip_row(found.layer, exact.outputs[tensor], errors, activated)
                rows["layer_flips"].append(named | {"scope": scope} | row)
        for mlp in mlps(read.layers):
            rows["layer_shares"].append(named | share_row(mlp, exact, quantized))
        linear = first_order(read.model, rounded, blocks, read.batches)
        for block, states in enumerate(
            zip(exact.blocks, quantized.blocks, linear, strict=True), start=1
        ):
            rows["layer_growths"].append(named | {"block": block} | asdict(growth(*states)))
        if bits == settings.correction_bits:
            rows |= _of_one_width(read, rounded, exact, quantized, inputs, settings, seed)
    return rows


def _of_one_width(
    read: ReadModel,
    rounded: Sequence[RoundedLayer],
    exact: Seen,
    quantized: Seen,
    inputs: Mapping[str, Floats],
    settings: Layers,
    seed: int,
) -> dict[str, list[Row]]:
    """Rows of the tables that are measured at one bit width alone."""
    eigenvalues: list[Row] = []
    supports: list[Row] = []
    corrections: list[Row] = []
    bits = {"bits": settings.correction_bits}
    for found in rounded:
        tensor = found.layer.tensor
        random = generator(seed, "geometry.layers", read.name, tensor)
        eigenvalues += [bits | row for row in eigenvalue_rows(found, inputs[tensor], random)]
        supports += support_rows(found, exact.inputs[tensor], settings.directions, random)
        y = exact.outputs[tensor]
        for scope, errors in _errors(found, exact, quantized).items():
            named = bits | {"scope": scope}
            fitted = correction_rows(found.layer, y, y + errors, settings.clusters, random)
            corrections += [named | row for row in fitted]
    of_tables = {
        "layer_eigenvalues": eigenvalues,
        "layer_supports": supports,
        "layer_corrections": corrections,
    }
    return {
        table: [{"model": read.name} | row for row in rows] for table, rows in of_tables.items()
    }


def _errors(found: RoundedLayer, exact: Seen, quantized: Seen) -> dict[str, Singles]:
    """Error of a layer's outputs by scope, shape (tokens, outputs)."""
    tensor = found.layer.tensor
    return {
        "alone": exact.inputs[tensor] @ found.error.T.astype(np.float32),
        "model": quantized.outputs[tensor] - exact.outputs[tensor],
    }
