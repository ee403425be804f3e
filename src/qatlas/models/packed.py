"""A causal language model in one file, its quantized layers packed, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qatlas.atomic import replacing
from qatlas.codecs.base import Codec, Encoded, as_array, as_tensor
from qatlas.codecs.registry import create, name_of, parameters_of
from qatlas.errors import AtlasError
from qatlas.models.layers import linear_layers

if TYPE_CHECKING:
    from torch import Tensor

_FORMAT = "qatlas packed language model 1"
_BETWEEN = "|"
"""Stands between the name of a weight and that of one of its packed arrays."""


@dataclass(frozen=True)
class PackedSize:
    """What a packed model takes.

    Attributes
    ----------
    parameters
        Of the model, quantized or not.
    tensor_bytes
        Packed arrays and the tensors that are stored as they were.
    header_bytes
        The rest of the file: names, shapes and the model's configuration.
    """

    parameters: int
    tensor_bytes: int
    header_bytes: int

    @property
    def bits_per_parameter(self) -> float:
        """Stored bits over parameters, without the header, which a large model does not feel."""
        return 8 * self.tensor_bytes / self.parameters


def save_quantized(
    model: Any, codec: Codec, layers: Mapping[str, Encoded], path: str | Path
) -> PackedSize:
    """Write a model with its quantized layers packed, as one safetensors file.

    Parameters
    ----------
    model
        Causal language model of transformers.
    codec
        With which the layers were quantized.
    layers
        Encoded weights, shape (output channels, input channels), by their names in the model.
        All else is stored as it is, shared weights once.
    """
    from safetensors.torch import save_file

    kept = {name: tensor for name, tensor in _stored_once(model).items() if name not in layers}
    packed = {
        f"{tensor}{_BETWEEN}{name}": as_tensor(np.ascontiguousarray(array))
        for tensor, encoded in layers.items()
        for name, array in encoded.arrays.items()
    }
    manifest = {
        "config": model.config.to_dict(),
        "dtype": str(model.dtype).removeprefix("torch."),
        "codec": name_of(codec),
        "parameters": json.loads(parameters_of(codec)),
        "shapes": {tensor: encoded.shape for tensor, encoded in layers.items()},
    }
    with replacing(path) as unfinished:
        save_file(
            {name: tensor.contiguous() for name, tensor in kept.items()} | packed,
            unfinished,
            {"format": _FORMAT, "manifest": json.dumps(manifest, sort_keys=True)},
        )
        file_bytes = unfinished.stat().st_size
    tensor_bytes = sum(tensor.nbytes for tensor in (*kept.values(), *packed.values()))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return PackedSize(parameters, tensor_bytes, file_bytes - tensor_bytes)


def load_quantized(path: str | Path) -> Any:
    """The model that ``save_quantized`` wrote, its layers decoded, in evaluation mode on the CPU.

    Raises
    ------
    AtlasError
        If the file is no such model, was cut short, or lacks a tensor.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stored:
            described = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise AtlasError(f"{path}: cannot be read ({error}); export the model again") from error
    if described.get("format") != _FORMAT:
        raise AtlasError(
            f"{path}: holds {described.get('format', 'no format')!r}, not {_FORMAT!r}; give a file "
            "of results/function/exports"
        )
    return _restored(path, json.loads(described["manifest"]), tensors)


def write_manifest(size: PackedSize, named: Mapping[str, Any], path: str | Path) -> None:
    """Write what a packed model is called and what it takes, as JSON beside it."""
    written = dict(named) | asdict(size) | {"bits_per_parameter": size.bits_per_parameter}
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(written, indent=2) + "\n")


def _restored(
    path: str | Path, manifest: Mapping[str, Any], tensors: Mapping[str, "Tensor"]
) -> Any:
    # With it come PyTorch and transformers, which saying what a study needs does without.
    from qatlas.models.architectures.build import from_config

    model = from_config(manifest["config"], manifest["dtype"])
    kept = {name: tensor for name, tensor in tensors.items() if _BETWEEN not in name}
    if lacking := sorted(_stored_once(model).keys() - kept.keys() - manifest["shapes"].keys()):
        raise AtlasError(
            f"{path}: lacks {', '.join(lacking)}, which the model of its manifest has; export the "
            "model again"
        )
    # The rest are quantized, or names of tensors that go by another one too.
    model.load_state_dict(kept, strict=False)
    model.tie_weights()
    codec = create(manifest["codec"], **manifest["parameters"])
    layers = {layer.tensor: layer for layer in linear_layers(model, keep=())}
    for tensor, shape in manifest["shapes"].items():
        arrays = {
            name.removeprefix(tensor + _BETWEEN): as_array(packed)
            for name, packed in tensors.items()
            if name.startswith(tensor + _BETWEEN)
        }
        decoded = codec.decode(Encoded(tuple(shape), arrays))
        layers[tensor].write(decoded)
    return model


def _stored_once(model: Any) -> dict[str, "Tensor"]:
    """Tensors of a model's state by name; of names that share memory the first."""
    found: dict[tuple[int, int], str] = {}
    state: dict[str, Tensor] = model.state_dict()
    for name, tensor in state.items():
        found.setdefault((tensor.data_ptr(), tensor.numel()), name)
    return {name: state[name] for name in found.values()}
