"""Uniform (integer) quantization."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from qatlas.codecs.base import CodecError, Context, Encoded, require_finite_matrix
from qatlas.codecs.blocks import Granularity, requirements_of_groups, row_chunks, split
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.codecs.scalar.clipping import minmax, shrunk_for_least_error, within_deviations
from qatlas.codecs.scalar.grid import dequantize_into, quantize_into
from qatlas.codecs.storage import REMEDIES, StoredFloat, restored, round_to, stored
from qatlas.deferred import torch
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
    grid: Literal["midrise", "narrow", "asymmetric"] = "midrise"
    clip: Literal["minmax", "mse"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "minmax"
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
        require_finite_matrix(weight)
        weight = weight.detach()
        codes = torch.empty(weight.shape, dtype=torch.uint8, device=weight.device)
        scales, zeros = [], []
        for values, code in zip(
            split(weight, self.granularity), split(codes, self.granularity), strict=True
        ):
            scale, zero = self._fit(values)
            for rows in row_chunks(values):
                quantize_into(
                    values[rows].float(),
                    _of(scale, rows),
                    _of(zero, rows),
                    self._levels,
                    code[rows],
                )
            scales.append(scale)
            zeros.append(zero)
        rounded = torch.cat(scales, 1)
        if not bool(rounded.any()) and bool(weight.any()):
            raise CodecError(
                f"weights of at most {weight.abs().max():.3g} have scales that vanish in "
                f"scale_dtype {self.scale_dtype!r}: {REMEDIES[self.scale_dtype]}"
            )
        arrays = {
            "payload": pack(codes.cpu().numpy().reshape(-1), self.bits),
            "scale": stored(rounded.squeeze(2), self.scale_dtype),
        }
        if self.grid == "asymmetric":
            points = torch.cat(zeros, 1).to(torch.uint8).cpu().numpy()
            arrays["zero_point"] = pack(points.reshape(-1), self.bits)
        return Encoded(tuple(weight.shape), arrays)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Levels of the codes; float32."""
        weight = torch.empty(encoded.shape)
        codes = torch.from_numpy(unpack(encoded.arrays["payload"], self.bits, weight.numel())).view(
            encoded.shape
        )
        scales = restored(encoded.arrays["scale"])
        if self.grid == "asymmetric":
            points = unpack(encoded.arrays["zero_point"], self.bits, scales.numel())
            zeros = torch.from_numpy(points).float().view(scales.shape)
        else:
            zeros = torch.full_like(scales, self._centre)
        first = 0
        for values, code in zip(
            split(weight, self.granularity), split(codes, self.granularity), strict=True
        ):
            blocks = slice(first, first + code.shape[1])
            scale, zero = scales[:, blocks].unsqueeze(2), zeros[:, blocks].unsqueeze(2)
            for rows in row_chunks(values):
                dequantize_into(code[rows], _of(scale, rows), _of(zero, rows), values[rows])
            first = blocks.stop
        return weight

    @property
    def _levels(self) -> int:
        return (1 << self.bits) - (self.grid == "narrow")

    @property
    def _centre(self) -> float:
        return (self._levels - 1) / 2

    def _fit(self, values: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Scale and zero point of each block, float32, shape (rows, blocks, 1)."""
        if not values.numel():
            empty = values.new_zeros((*values.shape[:2], 1), dtype=torch.float32)
            return empty, empty
        if self.granularity == "tensor":
            return self._fit_blocks(values.reshape(1, 1, -1).float())
        parts = [self._fit_blocks(values[rows].float()) for rows in row_chunks(values)]
        scales, zeros = zip(*parts, strict=True)
        return torch.cat(scales), torch.cat(zeros)

    def _fit_blocks(self, blocks: "Tensor") -> tuple["Tensor", "Tensor"]:
        if isinstance(self.clip, str):
            scale, zero = self._grid(*minmax(blocks))
        else:
            scale, zero = self._grid(*within_deviations(blocks, self.clip))
        if self.clip == "mse":
            scale = shrunk_for_least_error(blocks, scale, zero, self._levels)
        return round_to(scale, self.scale_dtype, "scale"), zero

    def _grid(self, low: "Tensor", high: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Scale and zero point (the code of the level zero) of the grid that spans low to high."""
        intervals = self._levels - 1
        if self.grid == "asymmetric":
            low, high = low.clamp(max=0), high.clamp(min=0)
            scale = (high - low) / intervals
            zero = -low / torch.where(scale == 0, torch.ones_like(scale), scale)
            return scale, zero.round().clamp(0, intervals)
        scale = 2 * torch.maximum(-low, high) / intervals
        return scale, torch.full_like(scale, self._centre)


def _of(per_block: "Tensor", rows: slice) -> "Tensor":
    """Rows of a per-block quantity, which has one row if all share a block."""
    return per_block if per_block.shape[0] == 1 else per_block[rows]
