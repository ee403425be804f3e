"""The integer weight-only quantizers of torchao that run on a CPU."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from qatlas.codecs.base import (
    CodecError,
    Context,
    Encoded,
    as_array,
    as_tensor,
    require_finite_matrix,
)
from qatlas.codecs.blocks import Granularity
from qatlas.codecs.peers import peer
from qatlas.codecs.registry import register
from qatlas.codecs.storage import REMEDIES, StoredFloat
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_INT4_GROUPS = (32, 64, 128)
_INT4_ROWS = 16
"""The kernels that pack int4 take multiples of so many rows."""
_UNITS_AT_ONCE = 256


@register
@dataclass(frozen=True)
class TorchaoWeightOnly:
    """Weight-only integers as torchao quantizes, packs and dequantizes them on a CPU.

    "int8" is symmetric (Int8Tensor), with scales of at least 1.2e-7. "int4" has zero points
    (Int4OpaqueTensor, with the codes laid out for the matrix product of this machine's processor,
    by which it is decoded too); rows are padded with zeros to a multiple of 16. ``dtype`` is that
    of the layer: weights are rounded to it before they are quantized, and restored in it.

    Not here: torchao's Int4Tensor needs its package mslk, and IntxUnpackedToInt8Tensor stores
    integers of any width in a byte each, so that it never takes less than "int8".

    Charged: int8: a byte a code; float32 scales; int8 zero points, which torchao stores though
    they are all zero. int4: half a byte a code, the padding's too; scales and zero points in
    ``dtype``.

    Source: the package torchao (arXiv 2507.16099).
    """

    package: ClassVar[str] = "torchao"

    data_type: Literal["int8", "int4"]
    granularity: Granularity
    dtype: StoredFloat = "bfloat16"

    def __post_init__(self) -> None:
        if self.data_type == "int4" and self.granularity not in _INT4_GROUPS:
            raise ValueError(
                f"granularity of data_type 'int4' should be {' or '.join(map(str, _INT4_GROUPS))}; "
                f"found {self.granularity!r}"
            )

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return {"int8": 8.0, "int4": 4.0}[self.data_type]

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack, by torchao.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, they or a scale are beyond the range of
            ``dtype``, rows are not whole groups, or torchao is missing.
        """
        method = _METHODS[self.data_type]
        package = peer(method.module, self.package)
        require_finite_matrix(weight)
        self._require_whole_groups(weight.shape[1])
        values = weight.detach().to("cpu", getattr(torch, self.dtype)).contiguous()
        arrays = {"payload": torch.empty(0, dtype=torch.uint8)}
        if weight.numel():
            arrays = method.quantize(package, values, self.granularity)
        if not all(bool(torch.isfinite(array).all()) for array in (values, *arrays.values())):
            raise CodecError(
                f"weights of at most {weight.abs().max():.3g}, or their scales, do not fit dtype "
                f"{self.dtype!r}: {REMEDIES[self.dtype]}"
            )
        stored = {name: as_array(array.contiguous()) for name, array in arrays.items()}
        return Encoded(tuple(weight.shape), stored)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Dequantize, by torchao; ``dtype`` in float32."""
        method = _METHODS[self.data_type]
        package = peer(method.module, self.package)
        weight = torch.empty(encoded.shape)
        if not weight.numel():
            return weight
        stored = {name: as_tensor(array) for name, array in encoded.arrays.items()}
        rows, columns = encoded.shape
        decoded = method.restore(package, stored, columns, getattr(torch, self.dtype))
        return weight.copy_(decoded[:rows])

    def _require_whole_groups(self, columns: int) -> None:
        if isinstance(self.granularity, int) and columns % self.granularity:
            raise CodecError(
                f"granularity {self.granularity} takes rows of whole groups; found rows of "
                f"{columns}; take a divisor of it, or 'channel' with data_type 'int8'"
            )


Arrays = dict[str, "Tensor"]


@dataclass(frozen=True)
class _Method:
    """Where torchao has a quantizer, and how it is called.

    Attributes
    ----------
    module
        Of torchao.
    quantize
        From the module, a matrix and the granularity, the arrays that are stored.
    restore
        From the module, these, the columns and a dtype, the matrix in that dtype; it may have
        more rows.
    """

    module: str
    quantize: Callable[[Any, "Tensor", Granularity], Arrays]
    restore: Callable[[Any, Arrays, int, Any], "Tensor"]


def _quantize_int8(torchao: Any, values: "Tensor", granularity: Granularity) -> Arrays:
    if isinstance(granularity, int):
        blocks = torchao.PerGroup(granularity)
    else:
        blocks = {"tensor": torchao.PerTensor, "channel": torchao.PerRow}[granularity]()
    made = torchao.Int8Tensor.from_hp(values, blocks)
    return {"payload": made.qdata, "scale": made.scale, "zero_point": made.zero_point}


def _restore_int8(torchao: Any, stored: Arrays, columns: int, dtype: Any) -> "Tensor":
    codes, scale = stored["payload"], stored["scale"]
    block = [side // blocks for side, blocks in zip(codes.shape, scale.shape, strict=True)]
    made = torchao.Int8Tensor(codes, scale, block, dtype, zero_point=stored["zero_point"])
    restored: Tensor = made.dequantize()
    return restored


def _quantize_int4(torchao: Any, values: "Tensor", granularity: Granularity) -> Arrays:
    padding = -len(values) % _INT4_ROWS
    padded = torch.nn.functional.pad(values, (0, 0, 0, padding))
    made = torchao.Int4OpaqueTensor.from_hp(padded, [1, granularity])
    scale, zero_point = made.scale_and_zero.unbind(-1)
    return {"payload": made.qdata, "scale": scale, "zero_point": zero_point}


def _restore_int4(torchao: Any, stored: Arrays, columns: int, dtype: Any) -> "Tensor":
    """The product with unit vectors, since nothing else reads what was packed."""
    scale_and_zero = torch.stack([stored["scale"], stored["zero_point"]], dim=-1)
    groups, rows = stored["scale"].shape
    made = torchao.Int4OpaqueTensor(
        stored["payload"], scale_and_zero, [1, columns // groups], torch.Size((rows, columns))
    )
    units = torch.eye(columns, dtype=dtype)
    parts = [units[first : first + _UNITS_AT_ONCE] for first in range(0, columns, _UNITS_AT_ONCE)]
    return torch.cat([torch.nn.functional.linear(part, made) for part in parts]).T


_METHODS = {
    "int8": _Method("torchao.quantization", _quantize_int8, _restore_int8),
    "int4": _Method("torchao.prototype.quantization.int4", _quantize_int4, _restore_int4),
}
