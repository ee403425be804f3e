"""Uniform (integer) quantization."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from qatlas.codecs.base import Context, Encoded, require_matrix
from qatlas.codecs.blocks import Granularity, requirements_of_groups
from qatlas.codecs.registry import register
from qatlas.codecs.scalar.uniform_grid import Clip, Placement, UniformGrid, of
from qatlas.codecs.storage import StoredFloat
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class Uniform:
    """Equally spaced levels, one scale a block.

    ``grid`` places the levels: "midrise" has 2^b of them symmetric about zero, which is none of
    them; "narrow" is the signed integer grid +-(2^(b-1) - 1), 2^b - 1 levels with zero;
    "asymmetric" has 2^b from the smallest to the largest weight, shifted by an integer zero
    point so that zero is one of them. ``clip`` sets the range: "minmax"; a number k, for k
    standard deviations about the mean; or "mse", for the smallest squared error found by search.

    Charged: codes of b bits; one scale a block; for "asymmetric" a b-bit zero point a block.

    Source: Jacob et al. 2018 (arXiv 1712.05877) for the grids; Sung et al. 2015
    (arXiv 1511.06488) for clipping by squared error.
    """

    bits: Annotated[int, Field(ge=1, le=8)]
    granularity: Granularity = "tensor"
    grid: Placement = "midrise"
    clip: Clip = "minmax"
    scale_dtype: StoredFloat = "float16"

    def __post_init__(self) -> None:
        if self.grid == "narrow" and self.bits == 1:
            raise ValueError("the narrow grid has one level at 1 bit; it needs bits of 2 or more")

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return float(self.bits)

    @property
    def requirements(self) -> Requirements:
        """Rows as long as a group."""
        return requirements_of_groups(self.granularity)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Round every weight to the nearest level of its block's grid.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, a group is longer than a row, a scale does not
            fit its dtype, or all scales vanish in it.
        """
        require_matrix(weight)
        weight = weight.detach()
        scale, zero = self._grid.fit_all(weight, self.granularity)

        def codes_of(rows: slice) -> "Tensor":
            parameters = of(scale, rows), of(zero, rows)
            return self._grid.codes(weight[rows], *parameters, self.granularity)

        arrays = self._grid.arrays(weight, codes_of, scale, zero)
        return Encoded(tuple(weight.shape), arrays)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Levels of the codes; float32."""
        return self._grid.weights(encoded.arrays, encoded.shape, self.granularity)

    @property
    def _grid(self) -> UniformGrid:
        return UniformGrid(self.bits, self.grid, self.clip, self.scale_dtype)
