"""The 4-bit quantizers of bitsandbytes."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from qatlas.codecs.base import Context, Encoded, finite_float32
from qatlas.codecs.peers import one_thread, peer
from qatlas.codecs.registry import register
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class BitsAndBytes4Bit:
    """NF4 or FP4 as bitsandbytes quantizes, packs and dequantizes it.

    Blocks run over the flattened tensor. ``double_quantization`` quantizes the scales, less their
    mean, to 8 bits in blocks of 256.

    Charged: what a checkpoint of bitsandbytes holds of a tensor: packed codes; float32 scales, or
    their 8-bit codes with the float32 scales and the mean of these; and as codebook the table of
    16 levels and that of 256 for the scales, which it stores with every tensor. Not charged: the
    names of dtypes and the shape.

    Source: Dettmers et al. 2023 (QLoRA, arXiv 2305.14314); the package bitsandbytes.
    """

    package: ClassVar[str] = "bitsandbytes"

    data_type: Literal["nf4", "fp4"] = "nf4"
    granularity: Literal[32, 64, 128, 256, 512, 1024, 2048, 4096] = 64
    double_quantization: bool = False

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return 4.0

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack, by bitsandbytes.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix or beyond float32, or bitsandbytes is missing.
        """
        functional = _functional()
        flat = finite_float32(weight).reshape(-1)
        shape = tuple(weight.shape)
        if not weight.numel():
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        with one_thread():
            packed, state = functional.quantize_4bit(
                flat,
                blocksize=self.granularity,
                compress_statistics=self.double_quantization,
                quant_type=self.data_type,
            )
        arrays = {
            "payload": packed.reshape(-1),
            "scale": state.absmax,
            "codebook": state.code,
        }
        if self.double_quantization:
            arrays["scale.absmax"] = state.state2.absmax
            arrays["scale.mean"] = state.offset.reshape(1)
            arrays["codebook.scale"] = state.state2.code
        return Encoded(shape, {name: array.numpy() for name, array in arrays.items()})

    def decode(self, encoded: Encoded) -> "Tensor":
        """Dequantize, by bitsandbytes; float32."""
        functional = _functional()
        count = prod(encoded.shape)
        if not count:
            return torch.empty(encoded.shape)
        stored = {name: torch.from_numpy(array) for name, array in encoded.arrays.items()}
        payload = stored["payload"].reshape(-1, 1)
        # The even row that the packed bytes hold: for odd ones it would start a compiler.
        state = functional.QuantState(
            absmax=stored["scale"],
            shape=torch.Size((1, 2 * payload.numel())),
            code=stored["codebook"],
            blocksize=self.granularity,
            quant_type=self.data_type,
            dtype=torch.float32,
            offset=stored["scale.mean"] if self.double_quantization else None,
            state2=self._scale_state(functional, stored) if self.double_quantization else None,
        )
        decoded: Tensor = functional.dequantize_4bit(payload, state)
        return decoded.reshape(-1)[:count].reshape(encoded.shape)

    def _scale_state(self, functional: Any, stored: dict[str, "Tensor"]) -> Any:
        return functional.QuantState(
            absmax=stored["scale.absmax"],
            code=stored["codebook.scale"],
            blocksize=256,
            dtype=torch.float32,
        )


def _functional() -> Any:
    return peer("bitsandbytes.functional", BitsAndBytes4Bit.package)
