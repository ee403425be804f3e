"""How the inputs of layers vary: what calibrated codecs need to know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.models.hooks import hooked
from qatlas.models.layers import Layer
from qatlas.models.likelihood import require_vocabulary

if TYPE_CHECKING:
    from torch import Tensor

_DOUBLE_BYTES = 8


@dataclass(frozen=True)
class Moments:
    """Of the input x of a layer, over the tokens of a calibration text.

    Attributes
    ----------
    second
        E[x x^T], float64, shape (columns, columns).
    mean
        E[x], float64, shape (columns,).
    """

    second: "Tensor"
    mean: "Tensor"

    @property
    def covariance(self) -> "Tensor":
        """E[x x^T] - E[x] E[x]^T."""
        return self.second - torch.outer(self.mean, self.mean)


def gather(
    model: Any,
    layers: Sequence[Layer],
    sequences: NDArray[np.integer],
    batch: int,
    device: str,
    most_bytes: int,
    progress: Callable[[Sequence[Sequence[str]]], Iterable[Sequence[str]]],
) -> Iterator[tuple[str, Moments]]:
    """Moments of the inputs of layers, in their order.

    All layers whose sums fit into the memory together are gathered in one pass over the text; the
    rest in further passes.

    Parameters
    ----------
    model
        Causal language model; moved to the device.
    sequences
        Tokens, shape (sequences, length).
    batch
        Sequences at a time.
    most_bytes
        Memory for the sums of one pass; a single layer may take more.
    progress
        Takes the names of the weights of every pass and yields them again; a job shows progress
        this way.

    Yields
    ------
    tuple
        Name of the layer's weight, and the moments on the CPU.

    Raises
    ------
    AtlasError
        If the text has tokens that the model has not.
    """
    require_vocabulary(model, sequences)
    model.to(device).eval()
    by_name = {layer.tensor: layer for layer in layers}
    for together in progress(list(_passes(layers, most_bytes))):
        sums = {name: _Sum(by_name[name].weight.shape[1], device) for name in together}
        hooks = [by_name[name].module.register_forward_pre_hook(sums[name]) for name in together]
        with hooked(hooks):
            for first in range(0, len(sequences), batch):
                tokens = torch.from_numpy(sequences[first : first + batch].astype(np.int64))
                with torch.inference_mode():
                    model(input_ids=tokens.to(device), use_cache=False)
        for tensor, found in sums.items():
            yield tensor, found.moments(tensor)


def write_moments(moments: Iterable[tuple[str, Moments]], path: str | Path) -> None:
    """Write moments as one safetensors file of float64, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {
        f"{tensor}.{name}": value.contiguous()
        for tensor, found in moments
        for name, value in (("second", found.second), ("mean", found.mean))
    }
    with replacing(path) as unfinished:
        save_file(tensors, unfinished)


def read_moments(path: str | Path) -> Mapping[str, Moments]:
    """Read moments by the names of the layers' weights.

    Raises
    ------
    AtlasError
        If the file is not one that ``write_moments`` wrote.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        names = [name.removesuffix(".second") for name in tensors if name.endswith(".second")]
        return {n: Moments(tensors[f"{n}.second"], tensors[f"{n}.mean"]) for n in names}
    except (OSError, SafetensorError, KeyError) as error:
        raise AtlasError(
            f"{path}: not moments of inputs ({error}); delete it and run snakemake again"
        ) from error


class _Sum:
    """Adds up what a layer is given."""

    def __init__(self, columns: int, device: str) -> None:
        self.second = torch.zeros(columns, columns, dtype=torch.double, device=device)
        self.first = torch.zeros(columns, dtype=torch.double, device=device)
        self.tokens = 0

    def __call__(self, module: Any, given: tuple["Tensor", ...]) -> None:
        x = given[0].detach().flatten(0, -2).float()
        self.second += x.T @ x
        self.first += x.sum(0)
        self.tokens += x.shape[0]

    def moments(self, tensor: str) -> Moments:
        if not self.tokens:
            raise AtlasError(
                f"{tensor}: the layer was given nothing, so it has no second moment; keep it "
                "from being quantized (function.keep)"
            )
        second, mean = (total.cpu() / self.tokens for total in (self.second, self.first))
        return Moments(second, mean)


def _passes(layers: Sequence[Layer], most_bytes: int) -> Iterator[list[str]]:
    together: list[str] = []
    taken = 0
    for layer in layers:
        size = _DOUBLE_BYTES * layer.weight.shape[1] ** 2
        if together and taken + size > most_bytes:
            yield together
            together, taken = [], 0
        together.append(layer.tensor)
        taken += size
    yield together
