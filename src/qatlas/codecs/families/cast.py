"""Floating point of fewer bits, without a scale."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qatlas.codecs.base import Context, Encoded, finite_float32
from qatlas.codecs.registry import register
from qatlas.codecs.storage import StoredFloat, restored, round_to, stored

if TYPE_CHECKING:
    from torch import Tensor

_BITS = {"float16": 16, "bfloat16": 16, "float32": 32}


@register
@dataclass(frozen=True)
class Cast:
    """Every weight rounded to the nearest number of a floating-point type: what others begin from.

    Charged: the width of the type for each weight, nothing else.

    Attributes
    ----------
    dtype
        The type; float32 loses nothing of float32 weights.
    """

    dtype: StoredFloat

    @property
    def nominal_bits(self) -> float:
        """Width of the type."""
        return float(_BITS[self.dtype])

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Round.

        Raises
        ------
        CodecError
            If the weights are not a finite floating-point matrix, or one is beyond the type.
        """
        values = round_to(finite_float32(weight), self.dtype, "weight")
        return Encoded(tuple(weight.shape), {"payload": stored(values, self.dtype)})

    def decode(self, encoded: Encoded) -> "Tensor":
        """The numbers; float32."""
        return restored(encoded.arrays["payload"])
