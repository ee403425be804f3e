"""What the layers and the blocks of a model are given and give, token by token."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.models.hooks import hooked
from qatlas.models.layers import Layer
from qatlas.models.windows import Windows, batches

if TYPE_CHECKING:
    from torch import Tensor

Singles = NDArray[np.float32]

_PLACE = re.compile(r"^(.+?)\.\d+\.")


@dataclass(frozen=True)
class Batch:
    """Sequences of one length.

    Attributes
    ----------
    tokens
        Int64, shape (sequences, length).
    attended
        Which of them are text and no padding, same shape.
    """

    tokens: NDArray[np.int64]
    attended: NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """Activations at the tokens of a text, padding left out, in one order for all.

    Attributes
    ----------
    inputs, outputs
        Of linear layers by the names of their weights, float32, shape (tokens, channels).
    blocks
        Hidden states behind each block of the model, shape (tokens, hidden).
    """

    inputs: Mapping[str, Singles]
    outputs: Mapping[str, Singles]
    blocks: tuple[Singles, ...]


def capture(
    model: Any, layers: Sequence[Layer], blocks: Sequence[Any], batches: Sequence[Batch]
) -> Seen:
    """Run a model on the CPU and keep what layers and blocks are given and give.

    Parameters
    ----------
    model
        Of transformers; called with tokens, and with a mask where there is padding.
    layers
        Linear layers whose inputs and outputs are kept; none is allowed.
    blocks
        Modules whose outputs are kept.
    """
    before: dict[str, list[Singles]] = {layer.tensor: [] for layer in layers}
    after: dict[str, list[Singles]] = {layer.tensor: [] for layer in layers}
    behind: list[list[Singles]] = [[] for _ in blocks]
    model.eval()
    for batch in batches:
        kept = torch.from_numpy(batch.attended.reshape(-1))
        hooks = [
            *((layer.module, _keep_input(before[layer.tensor], kept)) for layer in layers),
            *((layer.module, _keep_output(after[layer.tensor], kept)) for layer in layers),
            *(
                (block, _keep_output(found, kept))
                for block, found in zip(blocks, behind, strict=True)
            ),
        ]
        handles = [module.register_forward_hook(hook) for module, hook in hooks]
        with hooked(handles), torch.inference_mode():
            model(**_arguments(batch))
    return Seen(
        {name: np.concatenate(parts) for name, parts in before.items()},
        {name: np.concatenate(parts) for name, parts in after.items()},
        tuple(np.concatenate(parts) for parts in behind),
    )


def blocks_of(model: Any, layers: Sequence[Layer]) -> list[Any]:
    """The blocks that a model is a stack of, from the first to the last.

    Raises
    ------
    AtlasError
        If no linear layer lies in a numbered block.
    """
    for layer in layers:
        if found := _PLACE.match(layer.tensor):
            return list(model.get_submodule(found[1]))
    raise AtlasError(
        f"no linear layer of the model lies in a numbered block: found "
        f"{', '.join(layer.tensor for layer in layers) or 'no layer'}; give a model that is a "
        "stack of blocks"
    )


def windows(tokens: NDArray[np.integer], length: int, batch: int) -> list[Batch]:
    """A text cut into sequences of one length, ``batch`` at a time, and what is left over.

    Raises
    ------
    AtlasError
        If the text is shorter than one sequence.
    """
    cut = batches(tokens, Windows(length, length), batch)
    return [Batch(part.tokens, np.ones(part.tokens.shape, np.bool_)) for part in cut]


def padded(encoder: Any, sentences: Sequence[str], batch: int) -> list[Batch]:
    """Sentences as a sentence encoder reads them, the longest first, ``batch`` at a time."""
    # Sentences of like length share a batch, so that little of it is padding.
    ordered = sorted(sentences, key=lambda sentence: (-len(sentence), sentence))
    parts = (ordered[first : first + batch] for first in range(0, len(ordered), batch))
    read = (
        encoder.tokenizer(list(part), padding=True, truncation=True, return_tensors="np")
        for part in parts
    )
    return [
        Batch(found["input_ids"].astype(np.int64), found["attention_mask"].astype(np.bool_))
        for found in read
    ]


def _arguments(batch: Batch) -> dict[str, "Tensor"]:
    """What a model is called with; a mask only where something is masked."""
    given = {"input_ids": torch.from_numpy(batch.tokens)}
    if batch.attended.all():
        return given
    return given | {"attention_mask": torch.from_numpy(batch.attended.astype(np.int64))}


def _keep_input(found: list[Singles], kept: "Tensor") -> Any:
    def hook(module: Any, given: tuple["Tensor", ...], result: Any) -> None:
        found.append(_rows(given[0], kept))

    return hook


def _keep_output(found: list[Singles], kept: "Tensor") -> Any:
    def hook(module: Any, given: tuple["Tensor", ...], result: Any) -> None:
        found.append(_rows(result[0] if isinstance(result, tuple) else result, kept))

    return hook


def _rows(values: "Tensor", kept: "Tensor") -> Singles:
    rows: Singles = values.detach().flatten(0, -2)[kept].float().numpy().copy()
    return rows
