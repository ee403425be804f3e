"""The block quantizers of the gguf package, which is llama.cpp's own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from qatlas.codecs.base import CodecError, Context, Encoded, finite_float32
from qatlas.codecs.blocks import row_chunks
from qatlas.codecs.peers import peer
from qatlas.codecs.registry import register
from qatlas.deferred import torch
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor

Layout = tuple[tuple[str, int], ...]

LAYOUTS: dict[str, tuple[int, Layout]] = {
    "Q4_0": (32, (("scale", 2), ("payload", 16))),
    "Q4_1": (32, (("scale", 2), ("zero_point", 2), ("payload", 16))),
    "Q5_0": (32, (("scale", 2), ("payload", 20))),
    "Q5_1": (32, (("scale", 2), ("zero_point", 2), ("payload", 20))),
    "Q8_0": (32, (("scale", 2), ("payload", 32))),
    "TQ1_0": (256, (("payload", 52), ("scale", 2))),
    "TQ2_0": (256, (("payload", 64), ("scale", 2))),
    "MXFP4": (32, (("scale", 1), ("payload", 16))),
}
"""Weights of a block, and what its bytes hold, in order."""


@register
@dataclass(frozen=True)
class GgufBlock:
    """A block type as the gguf package quantizes, packs and dequantizes it.

    Charged: the bytes of every block, by what they hold: scale, minimum (as zero point), codes.

    Source: llama.cpp and its package gguf; MXFP4: OCP Microscaling Formats v1.0.
    """

    package: ClassVar[str] = "gguf"

    data_type: Literal["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "TQ1_0", "TQ2_0", "MXFP4"]

    @property
    def nominal_bits(self) -> float:
        """Bits of the codes a weight."""
        weights, layout = LAYOUTS[self.data_type]
        return 8 * dict(layout)["payload"] / weights

    @property
    def requirements(self) -> Requirements:
        """Rows of whole blocks."""
        block, _ = LAYOUTS[self.data_type]
        shorter = [repr(name) for name, (weights, _) in LAYOUTS.items() if weights < block]
        return Requirements(
            multiple_of=block,
            parameter="data_type",
            remedy=f"take {' or '.join([*shorter, ''])}the codec 'formats'",
        )

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack, by gguf.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, a row is not whole blocks, a scale does not fit
            its dtype, or gguf is missing.
        """
        gguf, kind = self._gguf()
        values = finite_float32(weight).numpy()
        block, layout = LAYOUTS[self.data_type]
        if weight.shape[1] % block:
            raise CodecError(
                f"data_type {self.data_type!r} takes rows of whole blocks of {block} weights; "
                f"found rows of {weight.shape[1]}; take another data_type or the codec 'formats'"
            )
        size = sum(width for _, width in layout)
        packed = np.empty((0, size), np.uint8)
        if weight.numel():
            try:
                with np.errstate(over="raise", invalid="raise"):
                    packed = gguf.quantize(values, kind).reshape(-1, size)
            except FloatingPointError as error:
                raise CodecError(
                    f"weights of at most {np.abs(values).max():.3g} do not fit the scales of "
                    f"data_type {self.data_type!r} ({error}): rescale the weights"
                ) from error
        ends = np.cumsum([width for _, width in layout])[:-1]
        fields = np.split(packed, ends, axis=1)
        return Encoded(
            tuple(weight.shape),
            {
                name: np.ascontiguousarray(field)
                for (name, _), field in zip(layout, fields, strict=True)
            },
        )

    def decode(self, encoded: Encoded) -> "Tensor":
        """Dequantize, by gguf; float32."""
        gguf, kind = self._gguf()
        weight = torch.empty(encoded.shape)
        if not weight.numel():
            return weight
        _, layout = LAYOUTS[self.data_type]
        packed = np.concatenate([encoded.arrays[name] for name, _ in layout], axis=1)
        packed = packed.reshape(encoded.shape[0], -1)
        # gguf holds what it dequantizes twice.
        for rows in row_chunks(weight):
            weight[rows] = torch.from_numpy(gguf.dequantize(packed[rows], kind))
        return weight

    def _gguf(self) -> tuple[Any, Any]:
        gguf = peer("gguf", self.package)
        return gguf, gguf.GGMLQuantizationType[self.data_type]
