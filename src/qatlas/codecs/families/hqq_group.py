"""Half-quadratic quantization as the package hqq does it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from qatlas.codecs.base import (
    CodecError,
    Context,
    Encoded,
    as_array,
    as_tensor,
    finite_float32,
)
from qatlas.codecs.peers import one_thread, peer
from qatlas.codecs.registry import register
from qatlas.codecs.storage import REMEDIES, StoredFloat
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_GROUPS_AT_ONCE = {1: 8, 2: 4, 4: 2}
"""Groups whose codes share bytes, by bits; the package wants whole bytes of them."""


@register
@dataclass(frozen=True)
class HqqGroup:
    """Half-quadratic quantization (HQQ) as the package hqq quantizes, packs and dequantizes it.

    Integers with a scale and a zero point a group, the zero point found by a few proximal steps
    that favour large errors on few weights. Groups run over the flattened tensor. ``dtype`` is
    that of the layer: scales and zero points are stored in it and weights restored in it.

    The steps and their guards are not relative to the weights: a group whose range is below 1e-4
    becomes constant, and rescaled weights are not quantized alike.

    Charged: the packed codes, which take 8 bits each at 5 and 6 bits, and at 3 bits 3.2, ten to an
    int32, those of the last groups padded; scales and zero points in ``dtype``.

    Source: Badri and Shaji 2023 (Half-Quadratic Quantization of Large Machine Learning Models,
    mobiusml.github.io/hqq_blog); the package hqq.
    """

    package: ClassVar[str] = "hqq"

    bits: Literal[1, 2, 3, 4, 5, 6, 8]
    granularity: Annotated[int, Field(ge=8, multiple_of=8)] = 64
    dtype: StoredFloat = "float16"

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return float(self.bits)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack, by hqq.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix or beyond float32, are not whole groups and
            bytes, a scale or zero point does not fit ``dtype``, or hqq is missing.
        """
        hqq = self._hqq()
        values = finite_float32(weight)
        shape = tuple(weight.shape)
        if not weight.numel():
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        self._require_whole_bytes(weight.numel())
        with one_thread():
            layer = hqq.HQQLinear.from_weights(
                values,
                bias=None,
                quant_config=hqq.hqq_base_quant_config(self.bits, self.granularity, axis=1),
                compute_dtype=getattr(torch, self.dtype),
                device="cpu",
            )
        arrays = {
            "payload": layer.W_q.data,
            "scale": layer.meta["scale"],
            "zero_point": layer.meta["zero"],
        }
        if not all(bool(torch.isfinite(array).all()) for array in arrays.values()):
            raise CodecError(
                f"weights of at most {values.abs().max():.3g} have scales or zero points that do "
                f"not fit dtype {self.dtype!r}: {REMEDIES[self.dtype]}"
            )
        return Encoded(shape, {name: as_array(array) for name, array in arrays.items()})

    def decode(self, encoded: Encoded) -> "Tensor":
        """Dequantize, by hqq; ``dtype`` in float32."""
        hqq = self._hqq()
        if not all(encoded.shape):
            return torch.empty(encoded.shape)
        codes, scale, zero = (
            as_tensor(encoded.arrays[name]) for name in ("payload", "scale", "zero_point")
        )
        meta = {
            "nbits": self.bits,
            "group_size": self.granularity,
            "shape": encoded.shape,
            "scale": scale,
            "zero": zero,
            "axis": 1,
            "packing": hqq.Quantizer.bit_to_packing[self.bits],
            "view_as_float": False,
            "compute_dtype": getattr(torch, self.dtype),
        }
        decoded: Tensor = hqq.Quantizer.dequantize(codes, meta)
        return decoded.float()

    def _require_whole_bytes(self, count: int) -> None:
        wanted = self.granularity * _GROUPS_AT_ONCE.get(self.bits, 1)
        if count % wanted:
            raise CodecError(
                f"granularity {self.granularity} at {self.bits} bits takes a multiple of {wanted} "
                f"weights; found {count}; take a smaller granularity or the codec 'uniform'"
            )

    def _hqq(self) -> Any:
        return peer("hqq.core.quantize", self.package)
