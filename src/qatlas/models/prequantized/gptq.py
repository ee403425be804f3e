"""GPTQ as AutoGPTQ and GPTQModel write it.

Sources: Frantar et al. 2022, "GPTQ" (arXiv 2210.17323), for the method; the layout is that of
AutoGPTQ's and GPTQModel's QuantLinear: codes run along input channels, zero points along output
channels, and in the first version of the format a zero point is stored minus one.
"""

from typing import TYPE_CHECKING

from qatlas.deferred import torch
from qatlas.errors import AtlasError, shown
from qatlas.models.prequantized.layer import (
    Described,
    Format,
    StoredLayer,
    require_empty,
    require_one_of,
)
from qatlas.models.prequantized.words import WORD, codes_of, plus_one

if TYPE_CHECKING:
    from torch import Tensor

_BITS = (2, 3, 4, 8)
_VERSIONS = ("gptq", "gptq_v2")
_ACROSS_WORDS = 3
"""Bits of codes that lie across words: to subtract one from each word is not one from each code."""


def version_of(described: Described) -> str:
    """Which way zero points are stored; the first version names itself only lately."""
    return str(described.get("checkpoint_format", described.get("format", "gptq"))).lower()


def bits_of(described: Described, where: str) -> int:
    """Bits of a code.

    Raises
    ------
    AtlasError
        If the checkpoint has other bits or another version, or some of its layers differ.
    """
    require_one_of(described, "bits", _BITS, where)
    if version_of(described) not in _VERSIONS:
        raise AtlasError(
            f"{where}: quantization_config.checkpoint_format is {shown(version_of(described))}; "
            f"allowed: {', '.join(_VERSIONS)}; convert the checkpoint back to one of these"
        )
    if version_of(described) == "gptq" and described["bits"] == _ACROSS_WORDS:
        raise AtlasError(
            f"{where}: quantization_config.bits is {_ACROSS_WORDS}, of which tools lower zero "
            "points in different ways; allowed with checkpoint_format 'gptq_v2'"
        )
    require_empty(described, "dynamic", where)
    return int(described["bits"])


def read(layer: StoredLayer) -> "Tensor":
    """(code - zero point) times scale, float32, shape (output channels, input channels).

    Raises
    ------
    AtlasError
        If a tensor is missing or not of the shape that the weight asks for.
    """
    bits, (rows, columns) = layer.described["bits"], layer.shape
    words = layer.tensor("qweight", torch.int32, (columns * bits // WORD, rows))
    scales = layer.numbers("scales")
    count = scales.shape[0]
    layer.tensor("scales", layer.tensors["scales"].dtype, (count, rows))
    zeros = layer.tensor("qzeros", torch.int32, (count, rows * bits // WORD))
    if version_of(layer.described) == "gptq":
        zeros = plus_one(zeros, bits)
    group = layer.group_of_columns("g_idx", count)
    zero_points = codes_of(zeros, bits).float()
    return (codes_of(words.T, bits) - zero_points.T[:, group]) * scales.T[:, group]


FORMAT = Format(
    name="gptq",
    marks=("qweight",),
    parts={
        "qweight": "payload",
        "scales": "scale",
        "qzeros": "zero_point",
        "g_idx": "other.group_of_column",
    },
    moves_scales=False,
    bits=bits_of,
    read=read,
)
