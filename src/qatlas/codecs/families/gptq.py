"""Uniform quantization with error compensation."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from qatlas.codecs.base import Context, Encoded, require_finite_matrix
from qatlas.codecs.blocks import Granularity, requirements_of_groups
from qatlas.codecs.calibrated.gptq import Order, round_with_feedback
from qatlas.codecs.calibrated.second_moment import damped, second_moment_for
from qatlas.codecs.calibrated.weights import singles
from qatlas.codecs.registry import register
from qatlas.codecs.scalar.uniform_grid import Clip, Placement, UniformGrid
from qatlas.codecs.storage import StoredFloat
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class Gptq:
    """Uniform levels, each column rounded after what earlier ones lost was made up for.

    Needs H = E[x x^T]: with it, the output error that rounding a column causes is moved onto the
    columns not yet rounded, as far as their inputs are correlated. Where H is a multiple of the
    identity nothing is, and this is ``uniform``.

    Charged: as ``uniform``: codes, one scale a block, for "asymmetric" a zero point a block. The
    order costs nothing: groups are of neighbouring columns in either, and ``decode`` needs not
    know which came first.

    Source: Frantar et al. 2022 (arXiv 2210.17323); equal to LDLQ (Chee et al. 2023, arXiv
    2307.13304, theorem 6).

    Attributes
    ----------
    grid, clip, scale_dtype
        As in ``uniform``.
    order
        Which columns come first: those on the left, or those with the largest "activation" (mean
        square of the input). In the first, a group's scale is fitted when the group is reached,
        to weights with feedback; in the second beforehand ("static groups").
    damping
        Share of the mean diagonal of H that is added to its diagonal.
    """

    bits: Annotated[int, Field(ge=2, le=8)]
    granularity: Granularity = "channel"
    grid: Placement = "asymmetric"
    clip: Clip = "minmax"
    scale_dtype: StoredFloat = "float16"
    order: Order = "columns"
    damping: Annotated[float, Field(ge=0, le=1)] = 0.01

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return float(self.bits)

    @property
    def requirements(self) -> Requirements:
        """H, and rows as long as a group."""
        return replace(requirements_of_groups(self.granularity), second_moment=True)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Round column after column.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, H is missing or does not fit them, a group is
            longer than a row, a scale does not fit its dtype, or all scales vanish in it.
        """
        require_finite_matrix(weight)
        values = singles(weight)
        h = damped(second_moment_for(values, context), self.damping)
        rounded = round_with_feedback(values, h, self._grid, self.granularity, self.order)
        arrays = self._grid.arrays(values, rounded.codes.__getitem__, rounded.scale, rounded.zero)
        return Encoded(tuple(weight.shape), arrays)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Levels of the codes; float32."""
        return self._grid.weights(encoded.arrays, encoded.shape, self.granularity)

    @property
    def _grid(self) -> UniformGrid:
        return UniformGrid(self.bits, self.grid, self.clip, self.scale_dtype)
