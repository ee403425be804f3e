"""What quantizing one layer alone does to a model's output."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from qatlas.function.evaluation import (
    Calibrated,
    Reading,
    compare_all,
    copies_at_once,
)
from qatlas.function.quantization import Point, QuantizedLayer, quantize_layers, with_weights
from qatlas.models.divergence import Divergence


def sensitivities(
    calibrated: Calibrated,
    points: Sequence[Point],
    reading: Reading,
    seed: int,
    progress: Callable[[Sequence[Point]], Iterable[Point]],
) -> list[dict[str, Any]]:
    """Rows of the table ``sensitivities``: every layer alone, at each point.

    Parameters
    ----------
    points
        Ways to quantize a layer.
    seed
        Configured seed, from which all randomness derives.
    progress
        Takes the points and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no layer is left to quantize, a codec refuses one, or the text does not fit the model.
    """
    (itself,) = compare_all(calibrated.model, [calibrated.model], reading)
    rows = []
    for point in progress(points):
        quantized = quantize_layers(
            calibrated.layers, point.create(), calibrated.moments, seed, calibrated.name
        )
        while together := list(islice(quantized, copies_at_once(calibrated.model))):
            alone = _each_alone(calibrated.model, together, reading)
            for found, divergence in zip(together, alone, strict=True):
                increase = divergence.likelihood.nll - itself.likelihood.nll
                rows.append(
                    calibrated.key
                    | point.key()
                    | _of_layer(found)
                    | {
                        "nll_increase": increase,
                        "logits_mse": divergence.logits_mse,
                        "mean_kl": divergence.mean_kl,
                    }
                )
    return rows


def _each_alone(
    model: Any, quantized: Sequence[QuantizedLayer], reading: Reading
) -> list[Divergence]:
    return compare_all(model, [with_weights(model, [found]) for found in quantized], reading)


def _of_layer(found: QuantizedLayer) -> dict[str, Any]:
    role = found.layer.role
    return {
        "tensor": found.layer.tensor,
        "kind": role.kind,
        "layer": role.layer,
        "weights": found.layer.weight.numel(),
        "nmse": found.distortion.nmse,
    }
