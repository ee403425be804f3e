"""How the inputs of layers vary: what calibrated codecs need to know."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.models.hooks import hooked
from qatlas.models.layers import Layer
from qatlas.models.likelihood import require_vocabulary

if TYPE_CHECKING:
    from torch import Tensor

_DOUBLE_BYTES = 8
_SECOND, _MEAN = ".second", ".mean"


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
    """Write moments as they come as one npz file of float64, whole or not at all.

    Those of a large model take more memory than the model, so that they are never held together.
    """
    with replacing(path) as unfinished, ZipFile(unfinished, "w") as file:
        for tensor, found in moments:
            for part, value in ((_SECOND, found.second), (_MEAN, found.mean)):
                # An entry that is named by itself has no date, so that bytes do not depend on it.
                with file.open(ZipInfo(f"{tensor}{part}.npy"), "w", force_zip64=True) as entry:
                    write_array(entry, value.numpy(), allow_pickle=False)


def read_moments(path: str | Path) -> Mapping[str, Moments]:
    """Moments by the names of the layers' weights, each read when it is asked for.

    Raises
    ------
    AtlasError
        If the file is not one that ``write_moments`` wrote; if it is damaged, when that is read.
    """
    with _understood(path):
        return _StoredMoments(path, np.load(path, allow_pickle=False))


class _StoredMoments(Mapping[str, Moments]):
    def __init__(self, path: str | Path, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        self._path, self._arrays = path, arrays
        self._names = [name.removesuffix(_SECOND) for name in arrays if name.endswith(_SECOND)]
        self._last: tuple[str, Moments] | None = None

    def __getitem__(self, name: str) -> Moments:
        # A layer is quantized and then measured.
        if self._last is None or self._last[0] != name:
            self._last = None
            if name not in self._names:
                raise KeyError(name)
            with _understood(self._path):
                second, mean = (self._arrays[f"{name}{part}"] for part in (_SECOND, _MEAN))
            self._last = name, Moments(torch.from_numpy(second), torch.from_numpy(mean))
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@contextmanager
def _understood(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        raise AtlasError(
            f"{path}: not moments of inputs ({said(error)}); delete it and run snakemake again"
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
