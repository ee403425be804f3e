"""AWQ as AutoAWQ writes it, packed for its GEMM kernel.

Sources: Lin et al. 2023, "AWQ" (arXiv 2306.00978), for the method; the layout is that of AutoAWQ's
WQLinear_GEMM: codes and zero points run along output channels, eight a word in an order of their
own.
"""

from typing import TYPE_CHECKING

from qatlas.deferred import torch
from qatlas.errors import AtlasError, shown
from qatlas.models.prequantized.layer import Described, Format, StoredLayer, require_one_of
from qatlas.models.prequantized.words import WORD, codes_of

if TYPE_CHECKING:
    from torch import Tensor

_BITS = 4
_PLACES = (0, 4, 1, 5, 2, 6, 3, 7)
"""Where in a word the first, second, ... of its eight output channels lies: the kernel's order
0, 2, 4, 6, 1, 3, 5, 7 of channels, the other way round."""


def bits_of(described: Described, where: str) -> int:
    """Bits of a code, 4.

    Raises
    ------
    AtlasError
        If the checkpoint has other bits, or is packed for another kernel.
    """
    require_one_of(described, "bits" if "bits" in described else "w_bit", (_BITS,), where)
    key = next((k for k in ("version", "checkpoint_format", "format") if k in described), None)
    if key is not None and str(described[key]).lower() != "gemm":
        raise AtlasError(
            f"{where}: quantization_config.{key} is {shown(described[key])}; allowed: 'gemm'; "
            "for another kernel codes lie otherwise, so take the checkpoint before it was repacked"
        )
    return _BITS


def read(layer: StoredLayer) -> "Tensor":
    """(code - zero point) times scale, float32, shape (output channels, input channels).

    Raises
    ------
    AtlasError
        If a tensor is missing or not of the shape that the weight asks for.
    """
    rows, columns = layer.shape
    words = rows * _BITS // WORD
    codes = _in_order(layer.tensor("qweight", torch.int32, (columns, words)))
    scales = layer.numbers("scales")
    count = scales.shape[0]
    layer.tensor("scales", layer.tensors["scales"].dtype, (count, rows))
    zeros = _in_order(layer.tensor("qzeros", torch.int32, (count, words))).float()
    group = layer.group_of_columns("g_idx", count)
    return ((codes - zeros[group]) * scales[group]).T.contiguous()


def _in_order(words: "Tensor") -> "Tensor":
    codes = codes_of(words, _BITS).view(words.shape[0], words.shape[1], len(_PLACES))
    return codes[..., list(_PLACES)].flatten(1)


FORMAT = Format(
    name="awq",
    marks=("qweight",),
    parts={"qweight": "payload", "scales": "scale", "qzeros": "zero_point"},
    moves_scales=True,
    bits=bits_of,
    read=read,
)
