"""Scalar quantization to the codebook of least squared error."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from qatlas.codecs.base import Context, Encoded, require_finite_matrix, unfilled
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.codecs.scalar.codebook import optimal_codebook
from qatlas.codecs.scalar.nearest import levels_into, nearest_level
from qatlas.codecs.storage import StoredFloat, stored_levels

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class LloydMax:
    """Optimal scalar quantizer of a whole tensor: the best 2^bits levels, wherever they lie.

    Charged: ``bits`` per weight for the codes and the width of ``codebook_dtype`` for each level;
    a tensor of fewer distinct values than levels stores only these.

    Source: the conditions of optimality are those of Max, "Quantizing for minimum distortion",
    IRE Trans. Inf. Theory 6 (1960), and Lloyd, "Least squares quantization in PCM", IEEE Trans.
    Inf. Theory 28 (1982); the global optimum is found by dynamic programming, Wu, J. Algorithms
    12 (1991), and Grønlund et al., arXiv 1701.07204.

    Attributes
    ----------
    bits
        Bits of a code, 1 to 8.
    codebook_dtype
        How the levels are stored; weights go to the nearest level as stored.
    """

    bits: Annotated[int, Field(ge=1, le=8)]
    codebook_dtype: StoredFloat = "float16"

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return float(self.bits)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack.

        Raises
        ------
        CodecError
            If the weights are not a finite floating-point matrix, or the codebook's dtype cannot
            hold the levels.
        """
        require_finite_matrix(weight)
        codebook = stored_levels(optimal_codebook(weight, 1 << self.bits), self.codebook_dtype)
        codes = nearest_level(weight, codebook.astype(np.float64))
        return Encoded(
            tuple(weight.shape), {"payload": pack(codes, self.bits), "codebook": codebook}
        )

    def decode(self, encoded: Encoded) -> "Tensor":
        """Reconstruct."""
        codes = unpack(encoded.arrays["payload"], self.bits, prod(encoded.shape))
        levels = encoded.arrays["codebook"].astype(np.float32)
        weight = unfilled(encoded.shape)
        levels_into(codes, levels, weight.view(-1).numpy())
        return weight
