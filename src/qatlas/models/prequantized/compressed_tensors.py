"""Compressed-tensors, as llm-compressor writes it: integers in words, in bytes, or 8-bit floats.

Source: the library compressed-tensors, its pack-quantized, int-quantized, float-quantized and
naive-quantized compressors, whose codes are signed and stored plus half of their range.
"""

from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.models.prequantized.layer import (
    Described,
    Format,
    StoredLayer,
    require_empty,
    require_one_of,
)
from qatlas.models.prequantized.words import WORD, codes_of

if TYPE_CHECKING:
    from torch import Tensor

_FORMATS = ("pack-quantized", "int-quantized", "float-quantized", "naive-quantized")
_PACKED_BITS = (2, 4, 8)
"""Of other widths versions of the library pack differently, and nothing stored tells which."""


def bits_of(described: Described, where: str) -> int:
    """Bits of a code.

    Raises
    ------
    AtlasError
        If the checkpoint has another format, layers of several kinds, other bits, or weights that
        are pruned or rotated besides.
    """
    require_one_of(described, "format", _FORMATS, where)
    sparsity = described.get("sparsity_config") or {}
    if not isinstance(sparsity, dict) or sparsity.get("format", "dense") != "dense":
        require_empty(described, "sparsity_config", where)
    require_empty(described, "transform_config", where)
    kinds = {str(group["weights"]): group["weights"] for group in _groups(described, where)}
    if len(kinds) != 1:
        raise AtlasError(
            f"{where}: quantization_config.config_groups has {len(kinds)} kinds of weights "
            f"({'; '.join(sorted(kinds)) or 'none'}); allowed is one"
        )
    (weights,) = kinds.values()
    packed = described["format"] == "pack-quantized"
    allowed = _PACKED_BITS if packed else (8,)
    if type(weights.get("num_bits")) is not int or weights["num_bits"] not in allowed:
        raise AtlasError(
            f"{where}: quantization_config.config_groups has weights of num_bits "
            f"{weights.get('num_bits')!r}; allowed for {described['format']}: "
            f"{', '.join(map(str, allowed))}"
        )
    return int(weights["num_bits"])


def read(layer: StoredLayer) -> "Tensor":
    """(code - zero point) times scale, float32, shape (output channels, input channels).

    Raises
    ------
    AtlasError
        If a tensor is missing or not of the shape that the weight asks for.
    """
    rows, columns = layer.shape
    codes = _packed_codes(layer) if "weight_packed" in layer.tensors else _codes(layer)
    scales = layer.numbers("weight_scale")
    # One scale for a whole weight has no sides.
    scales = scales.view(1, 1) if scales.numel() == 1 else scales
    if scales.ndim != 2 or not scales.shape[0] or rows % scales.shape[0]:
        raise AtlasError(
            f"{layer.name}.weight_scale: shape {tuple(scales.shape)} does not divide a weight of "
            f"{rows} x {columns}; name the base that the checkpoint was made from"
        )
    group = layer.group_of_columns("weight_g_idx", scales.shape[1])
    height = rows // scales.shape[0]
    if "weight_zero_point" in layer.tensors:
        zeros = _zero_points(layer, tuple(scales.shape)).float()
        codes = codes - zeros.repeat_interleave(height, 0)[:, group]
    return codes * scales.repeat_interleave(height, 0)[:, group]


def _packed_codes(layer: StoredLayer) -> "Tensor":
    (rows, columns), bits = layer.shape, _bits(layer)
    words = layer.tensor("weight_packed", torch.int32, (rows, -(-columns * bits // WORD)))
    return _signed(codes_of(words, bits)[:, :columns], bits)


def _codes(layer: StoredLayer) -> "Tensor":
    """Integers or floats that stand for themselves."""
    of_floats = layer.tensors["weight"].is_floating_point()
    dtype = torch.float8_e4m3fn if of_floats else torch.int8
    return layer.tensor("weight", dtype, layer.shape).float()


def _zero_points(layer: StoredLayer, shape: tuple[int, ...]) -> "Tensor":
    """Beside packed codes they are packed too, along output channels, but for old checkpoints."""
    found = layer.tensors["weight_zero_point"]
    if found.dtype != torch.int32:
        return layer.tensor("weight_zero_point", found.dtype, tuple(found.shape)).view(shape)
    bits = _bits(layer)
    packed = (-(-shape[0] * bits // WORD), shape[1])
    words = layer.tensor("weight_zero_point", torch.int32, packed)
    return _signed(codes_of(words.T, bits)[:, : shape[0]].T, bits)


def _signed(codes: "Tensor", bits: int) -> "Tensor":
    signed: Tensor = codes.float() - 2 ** (bits - 1)
    return signed


def _bits(layer: StoredLayer) -> int:
    return bits_of(layer.described, layer.name)


def _groups(described: Described, where: str) -> list[dict[str, Any]]:
    given = described.get("config_groups") or {}
    groups = given.values() if isinstance(given, dict) else [given]
    if not all(isinstance(g, dict) and isinstance(g.get("weights"), dict) for g in groups):
        raise AtlasError(
            f"{where}: quantization_config.config_groups has a group without weights; allowed are "
            "groups that say how weights are quantized"
        )
    return list(groups)


FORMAT = Format(
    name="compressed_tensors",
    marks=("weight_packed", "weight_scale"),
    parts={
        "weight_packed": "payload",
        "weight": "payload",
        "weight_scale": "scale",
        "weight_zero_point": "zero_point",
        "weight_g_idx": "other.group_of_column",
        "weight_shape": "other.shape",
        "input_scale": "other.input_scale",
        "input_zero_point": "other.input_zero_point",
    },
    moves_scales=True,
    bits=bits_of,
    read=read,
)
