"""Count the activations and weights of a language model's linear layers."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.lut.operand_counts import LARGEST, Counts, LayerOperands
from qatlas.models.hooks import hooked
from qatlas.models.layers import Layer

if TYPE_CHECKING:
    from torch import Tensor


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
    with hooked(hooks), torch.inference_mode():
        for tokens in sequences:
            model(input_ids=torch.from_numpy(tokens.astype(np.int64)), use_cache=False)


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
