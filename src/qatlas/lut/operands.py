"""Which operands a table meets: all levels alike, or a language model's activations and weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.lut.product_table import ProductTable
from qatlas.models.layers import Layer

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

LARGEST = 2047
"""Operands are counted on the whole numbers from -LARGEST to LARGEST, their tensor's largest
magnitude being LARGEST: four or more to a level of the largest default table."""


@dataclass(frozen=True)
class LayerOperands:
    """What one linear layer multiplies.

    Attributes
    ----------
    tensor
        Name of its weight.
    multiplications
        For a token.
    activations, weights
        How often each whole number from -LARGEST to LARGEST occurs, int64.
    """

    tensor: str
    multiplications: int
    activations: Counts
    weights: Counts


def uniform_pairs(table: ProductTable) -> Floats:
    """Every pair of levels equally often, shape (S, S)."""
    return np.full((table.size, table.size), 1 / table.size**2)


def model_pairs(table: ProductTable, layers: Sequence[LayerOperands]) -> Floats:
    """How often a language model multiplies each pair of levels, shape (S, S).

    The largest magnitude of a tensor goes to the largest level, every other value to the level
    nearest to it. A table without levels below zero multiplies magnitudes. Within a layer any
    activation meets any weight; layers count by their multiplications.

    Parameters
    ----------
    layers
        Of the model.
    """
    places = places_of(table.levels)
    pairs = np.zeros((table.size, table.size))
    for layer in layers:
        activations, weights = (
            np.bincount(places, counts / counts.sum(), table.size)
            for counts in (layer.activations, layer.weights)
        )
        pairs += layer.multiplications * np.multiply.outer(activations, weights)
    shares: Floats = pairs / pairs.sum()
    return shares


def places_of(levels: Floats) -> NDArray[np.int64]:
    """Index of the level nearest to each whole number that is counted; of two as near the lower."""
    values = np.arange(-LARGEST, LARGEST + 1) / LARGEST * levels[-1]
    values = values if levels[0] < 0 else np.abs(values)
    places: NDArray[np.int64] = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
    return places


def count_operands(
    model: Any,
    layers: Sequence[Layer],
    sequences: Sequence[NDArray[np.integer]],
    progress: Callable[[Sequence[str]], Any],
) -> Iterator[LayerOperands]:
    """Count what the linear layers of a language model multiply while it reads a text.

    The text is read twice, since the largest activation is known only at its end.

    Parameters
    ----------
    model
        Causal language model on the CPU.
    sequences
        Batches of tokens, each of shape (windows, length).
    progress
        Takes what the two passes are for and yields it again.

    Raises
    ------
    AtlasError
        If the inputs or the weight of a layer are all zero, or not finite.
    """
    largest = {layer.tensor: 0.0 for layer in layers}
    counts = {layer.tensor: np.zeros(2 * LARGEST + 1, np.int64) for layer in layers}

    def note_largest(tensor: str, x: "Tensor") -> None:
        largest[tensor] = max(largest[tensor], _largest(tensor, x))

    def count(tensor: str, x: "Tensor") -> None:
        counts[tensor] += _histogram(x, largest[tensor])

    passes = {"largest activations": note_largest, "activations": count}
    model.eval()
    for what in progress(list(passes)):
        _read(model, layers, sequences, passes[what])
    for layer in layers:
        weight = layer.weight
        yield LayerOperands(
            layer.tensor,
            weight.numel(),
            counts[layer.tensor],
            _histogram(weight, _largest(layer.tensor, weight)),
        )


def rows_of_operands(model: str, counted: Sequence[LayerOperands]) -> pd.DataFrame:
    """Rows of an ``OPERANDS`` table, for values that occur."""
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "tensor": layer.tensor,
                "operand": operand,
                "multiplications": layer.multiplications,
                "value": np.flatnonzero(counts) - LARGEST,
                "count": counts[counts > 0],
            }
        )
        for layer in counted
        for operand, counts in (("activation", layer.activations), ("weight", layer.weights))
    ]
    return pd.concat(parts, ignore_index=True)


def operands_of_rows(rows: pd.DataFrame) -> Mapping[str, list[LayerOperands]]:
    """What each model of an ``OPERANDS`` table multiplies."""
    found: dict[str, list[LayerOperands]] = {}
    for (model, tensor), of_layer in rows.groupby(["model", "tensor"], sort=False):
        counts = {
            operand: np.bincount(
                of_layer.value[of_layer.operand == operand] + LARGEST,
                of_layer["count"][of_layer.operand == operand],
                2 * LARGEST + 1,
            ).astype(np.int64)
            for operand in ("activation", "weight")
        }
        found.setdefault(str(model), []).append(
            LayerOperands(
                str(tensor),
                int(of_layer.multiplications.iloc[0]),
                counts["activation"],
                counts["weight"],
            )
        )
    return found


def _read(
    model: Any,
    layers: Sequence[Layer],
    sequences: Sequence[NDArray[np.integer]],
    seen: Callable[[str, "Tensor"], None],
) -> None:
    """Have a model read a text, and show what every layer is given."""

    def hook_of(layer: Layer) -> Callable[[Any, tuple["Tensor", ...]], None]:
        return lambda module, given: seen(layer.tensor, given[0].detach())

    hooks = [layer.module.register_forward_pre_hook(hook_of(layer)) for layer in layers]
    try:
        with torch.inference_mode():
            for tokens in sequences:
                model(input_ids=torch.from_numpy(tokens.astype(np.int64)), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()


def _largest(tensor: str, x: "Tensor") -> float:
    found = float(x.abs().max())
    if not (np.isfinite(found) and found > 0):
        raise AtlasError(
            f"{tensor}: its largest magnitude or that of its input is {found}; a scale needs a "
            "finite one above 0, so keep the layer (function.keep)"
        )
    return found


def _histogram(x: "Tensor", largest: float) -> Counts:
    scaled = np.rint(x.double().numpy().ravel() * (LARGEST / largest)).astype(np.int64)
    counts: Counts = np.bincount(scaled + LARGEST, minlength=2 * LARGEST + 1)
    return counts
