"""Checkpoints that other tools quantized, beside the language model that they were made from."""

import json
import logging
from collections.abc import Mapping
from copy import deepcopy
from statistics import fmean
from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.function.evaluation import (
    Calibrated,
    Candidate,
    Evaluated,
    Reading,
    compare_candidates,
)
from qatlas.function.quantization import (
    QuantizedLayer,
    error_columns,
    layer_row,
    rate_columns,
    writer_of,
)
from qatlas.models.prequantized.ancestry import moved_tensors, require_architecture
from qatlas.models.prequantized.opening import Prequantized

if TYPE_CHECKING:
    from torch import Tensor

_logger = logging.getLogger(__name__)

_UNKNOWN_ERRORS = {"mse": None, "nmse": None, "output_nmse": None}


def evaluate_checkpoint(
    calibrated: Calibrated, checkpoint: Prequantized, reading: Reading
) -> Evaluated:
    """Compare a quantized checkpoint with its base.

    The model that predicts has all of the checkpoint's weights: those of linear layers unpacked,
    the others as they are stored. Its rate is what is stored of the linear layers that the chapter
    quantizes, be they quantized there or not. Where a tool moved scales from layers into norms,
    weights of the two models are not comparable one by one: only what the output becomes is
    measured.

    Parameters
    ----------
    calibrated
        The base.

    Raises
    ------
    AtlasError
        If the checkpoint was not made from the base, or a tensor cannot be read.
    """
    base, layers = calibrated.name, calibrated.layers
    require_architecture(checkpoint, calibrated.model, base)
    replaced = {layer.tensor for layer in layers}
    parameters = dict(calibrated.model.named_parameters())
    kept = {name: p.detach() for name, p in parameters.items() if name not in replaced}
    moved = moved_tensors(checkpoint, calibrated.model, kept, base)
    key = calibrated.key | key_of(checkpoint)
    changed = deepcopy(calibrated.model)
    _write(changed, {name: checkpoint.read(name) for name in kept})
    write, rows, totals = writer_of(changed), [], []
    for layer in layers:
        unpacked = checkpoint.unpack(layer)
        found = QuantizedLayer(layer, unpacked.encoded, unpacked.weight)
        write(found)
        totals.append(found.totals)
        if not moved:
            rows.append(layer_row(found, calibrated.moments[layer.tensor]))
    rates = rate_columns(calibrated.model, totals, checkpoint.stored_bits)
    if moved:
        _logger.warning(
            "checkpoint %s: %d tensors are not those of %s, %s among them, as when scales are "
            "moved into norms; the output is compared, weights and layers are not",
            *(checkpoint.name, len(moved), base, moved[0]),
        )
        candidate = Candidate(changed, key | rates | _UNKNOWN_ERRORS, [])
    else:
        output_nmse = fmean(row["output_nmse"] for row in rows)
        errors = error_columns(totals) | {"output_nmse": output_nmse}
        candidate = Candidate(changed, key | rates | errors, [key | row for row in rows])
    return compare_candidates(calibrated.model, [candidate], reading)


def key_of(checkpoint: Prequantized) -> dict[str, Any]:
    """Columns that name a checkpoint where other rows have a codec's point."""
    return {
        "series": checkpoint.name,
        "codec": f"checkpoint_{checkpoint.format.name}",
        "parameters": json.dumps(checkpoint.described, sort_keys=True),
        "nominal_bits": float(checkpoint.bits),
    }


def _write(model: Any, stored: Mapping[str, "Tensor"]) -> None:
    """Replace parameters of a model in place."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in stored.items():
            parameters[name].copy_(tensor)
