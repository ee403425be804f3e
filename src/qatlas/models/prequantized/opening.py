"""A checkpoint that another tool quantized, read from its folder one layer at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qatlas.codecs.base import Encoded, as_array
from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.models.layers import Layer
from qatlas.models.prequantized.formats import format_of
from qatlas.models.prequantized.layer import Described, Format, StoredLayer
from qatlas.weights.model_config import CONFIG, read_model_config
from qatlas.weights.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class UnpackedLayer:
    """A layer as it is stored, and its weight: float32, shape (output, input channels)."""

    encoded: Encoded
    weight: "Tensor"


@dataclass(frozen=True)
class Prequantized:
    """A checkpoint on disk; tensors are read when they are asked for.

    Attributes
    ----------
    name
        What messages and tables call it.
    snapshot
        Its tensors.
    described
        How config.json says that it was quantized.
    format
        How its layers are stored.
    """

    name: str
    snapshot: Snapshot
    described: Described
    format: Format

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.snapshot.folder

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self.format.bits(self.described, str(self.folder / CONFIG))

    @property
    def stored_bits(self) -> int:
        """Of all tensors of its files.

        Raises
        ------
        AtlasError
            If one is of a type that PyTorch has no name for.
        """
        return sum(self._bits_of(name) for name in self.snapshot.tensors)

    def _bits_of(self, tensor: str) -> int:
        stored = self.snapshot.tensors[tensor]
        dtype = getattr(torch, stored.dtype, None)
        if dtype is None:
            raise AtlasError(
                f"checkpoint {self.name}: {tensor} in {self.folder / stored.file} is of the type "
                f"{stored.dtype}, which no format that is read has; take another checkpoint"
            )
        return int(8 * dtype.itemsize * stored.weights)

    def read(self, tensor: str) -> "Tensor":
        """A parameter that is stored as it is, of its stored type and shape.

        Raises
        ------
        AtlasError
            If there is none: it is quantized, goes by another name, or is missing.
        """
        if self._is_quantized(tensor):
            raise AtlasError(
                f"checkpoint {self.name}: {tensor} is quantized in {self.folder}, but no linear "
                "layer that the chapter quantizes; allowed are quantized linear layers other than "
                "the head that function.keep does not name"
            )
        return self.snapshot.read(tensor)

    def unpack(self, layer: Layer) -> UnpackedLayer:
        """What is stored of a layer of the base, quantized or not, and the weight that it makes.

        Raises
        ------
        AtlasError
            If it is not stored, or not as the format and the base ask for.
        """
        rows, columns = layer.weight.shape
        if not self._is_quantized(layer.tensor):
            return self._as_it_is(layer)
        tensors = self._tensors_of(layer.tensor)
        called = f"checkpoint {self.name}, {layer.tensor.removesuffix('.weight')}"
        if strange := sorted(tensors.keys() - self.format.parts.keys()):
            raise AtlasError(
                f"{called}: {', '.join(strange)} in {self.folder} is not read; a layer of "
                f"{self.format.name} has {', '.join(self.format.parts)}"
            )
        stored = StoredLayer(called, (rows, columns), tensors, self.described)
        arrays = {
            self.format.parts[suffix]: as_array(tensor.contiguous().reshape(-1))
            for suffix, tensor in tensors.items()
        }
        return UnpackedLayer(Encoded((rows, columns), arrays), self._weight(stored))

    def _weight(self, stored: StoredLayer) -> "Tensor":
        try:
            weight = self.format.read(stored)
        except AtlasError:
            raise
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise AtlasError(
                f"{stored.name}: its tensors do not fit each other or a weight of "
                f"{stored.shape[0]} x {stored.shape[1]} ({said(error)}); name the base that the "
                "checkpoint was made from, or fetch the file again"
            ) from error
        if not bool(torch.isfinite(weight).all()):
            raise AtlasError(
                f"{stored.name}: makes weights that are NaN or Inf; fetch the file again, or take "
                "another checkpoint"
            )
        return weight

    def _as_it_is(self, layer: Layer) -> UnpackedLayer:
        stored = self.read(layer.tensor)
        weight = stored.T if layer.transposed else stored
        shape = tuple(layer.weight.shape)
        if tuple(weight.shape) != shape or not weight.is_floating_point():
            raise AtlasError(
                f"checkpoint {self.name}: {layer.tensor} is {stored.dtype} of shape "
                f"{tuple(stored.shape)} and has no tensors of {self.format.name} beside it; "
                f"allowed are these, or floats of shape {shape}"
            )
        payload = as_array(weight.contiguous().reshape(-1))
        return UnpackedLayer(Encoded(shape, {"payload": payload}), weight.float())

    def _is_quantized(self, tensor: str) -> bool:
        layer = tensor.removesuffix("weight")
        return any(layer + mark in self.snapshot.tensors for mark in self.format.marks)

    def _tensors_of(self, tensor: str) -> dict[str, "Tensor"]:
        """By what stands behind the layer's name; a bias is none of the weight's."""
        layer = tensor.removesuffix("weight")
        names = [name for name in self.snapshot.tensors if name.startswith(layer)]
        return {
            name.removeprefix(layer): self.snapshot.read(name)
            for name in names
            if name != f"{layer}bias"
        }


def open_prequantized(folder: str | Path, name: str) -> Prequantized:
    """Open a checkpoint; only config.json and the headers of its tensors are read.

    Parameters
    ----------
    folder
        Folder with config.json and *.safetensors, in one file or several with their index.
    name
        What messages call it.

    Raises
    ------
    AtlasError
        If a file is missing or damaged, config.json has no quantization_config, or its format is
        not read.
    """
    path = Path(folder) / CONFIG
    described = read_model_config(folder, f"checkpoint {name}").get("quantization_config")
    if not isinstance(described, dict):
        raise AtlasError(
            f"checkpoint {name}: {path} has no quantization_config, so nothing says how it was "
            "quantized; a model that is not quantized goes under function.models"
        )
    where = f"checkpoint {name}: {path}"
    found = format_of(described, where)
    return Prequantized(name, open_snapshot(folder, name), described, found)
