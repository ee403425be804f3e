"""Uniform grids of blocks of weights: where their levels lie, and how they are stored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import CodecError, all_finite, require_finite, unfilled
from qatlas.codecs.blocks import Granularity, row_chunks, split
from qatlas.codecs.packing import WHOLE, pack, pack_parts, unpack
from qatlas.codecs.scalar.clipping import minmax, shrunk_for_least_error, within_deviations
from qatlas.codecs.scalar.grid import dequantize_into, quantize_into
from qatlas.codecs.storage import REMEDIES, StoredFloat, restored, round_to, stored
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Placement = Literal["midrise", "narrow", "asymmetric"]
"""Where levels lie: see ``UniformGrid``."""

Clip = Literal["minmax", "mse"] | Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""What sets the range of a grid: see ``UniformGrid``."""


@dataclass(frozen=True)
class UniformGrid:
    """Equally spaced levels, one scale and one zero point a block.

    Attributes
    ----------
    bits
        Of a code, 1 to 8.
    placement
        "midrise" has 2^b levels symmetric about zero, which is none of them; "narrow" the signed
        integers +-(2^(b-1) - 1); "asymmetric" 2^b from the smallest to the largest weight, shifted
        by an integer zero point (a code) so that zero is one of them.
    clip
        "minmax", k standard deviations about the mean, or "mse", the range of least squared error.
    scale_dtype
        How scales are stored; levels are those of the scales as stored.
    """

    bits: int
    placement: Placement
    clip: Clip
    scale_dtype: StoredFloat

    @property
    def levels(self) -> int:
        """Number of levels; codes are 0 to one less."""
        return (1 << self.bits) - (self.placement == "narrow")

    def fit_all(self, weight: "Tensor", granularity: Granularity) -> tuple["Tensor", "Tensor"]:
        """Scale and zero point of all blocks of a matrix.

        Returns
        -------
        tuple[Tensor, Tensor]
            From left to right; float32, shape (rows, blocks, 1), for "tensor" (1, 1, 1).

        Raises
        ------
        CodecError
            If the weights hold NaN or Inf, a group is longer than a row, or a scale does not fit
            its dtype.
        """
        parts = [self.fit(values, granularity) for values in split(weight, granularity)]
        scales, zeros = zip(*parts, strict=True)
        return torch.cat(scales, 1), torch.cat(zeros, 1)

    def fit(self, values: "Tensor", granularity: Granularity) -> tuple["Tensor", "Tensor"]:
        """Scale and zero point of each block.

        Parameters
        ----------
        values
            One of the parts that ``split`` gives for the granularity, (rows, blocks, weights).

        Returns
        -------
        tuple[Tensor, Tensor]
            Float32, shape (rows, blocks, 1); for "tensor" (1, 1, 1).

        Raises
        ------
        CodecError
            If the weights hold NaN or Inf or a scale does not fit its dtype.
        """
        if not values.numel():
            empty = values.new_zeros((*values.shape[:2], 1), dtype=torch.float32)
            return empty, empty
        if granularity == "tensor":
            return self._fit_blocks(values.reshape(1, 1, -1))
        parts = [self._fit_blocks(values[rows]) for rows in row_chunks(values)]
        scales, zeros = zip(*parts, strict=True)
        return torch.cat(scales), torch.cat(zeros)

    def codes(
        self, weight: "Tensor", scale: "Tensor", zero: "Tensor", granularity: Granularity
    ) -> "Tensor":
        """Code of the level nearest each weight; uint8, shape (rows, columns).

        Parameters
        ----------
        weight
            Shape (rows, columns).
        scale, zero
            As ``fit_all`` gives them.
        """
        codes = torch.empty(weight.shape, dtype=torch.uint8, device=weight.device)
        for values, found, step, shift in _blocks(weight, codes, scale, zero, granularity):
            quantize_into(values.float(), step, shift, self.levels, found)
        return codes

    def arrays(
        self,
        weight: "Tensor",
        codes_of: Callable[[slice], "Tensor"],
        scale: "Tensor",
        zero: "Tensor",
    ) -> dict[str, NDArray[Any]]:
        """What is stored: packed codes, scales, and for "asymmetric" packed zero points.

        Parameters
        ----------
        weight
            What was quantized, shape (rows, columns).
        codes_of
            Codes of some rows, uint8, shape (rows, columns): asked for so few at a time that they
            stay in the cache.
        scale, zero
            As ``fit_all`` gives them.

        Raises
        ------
        CodecError
            If all scales vanish in their dtype.
        """
        if not bool(scale.any()) and bool(weight.any()):
            raise CodecError(
                f"weights of at most {weight.abs().max():.3g} have scales that vanish in "
                f"scale_dtype {self.scale_dtype!r}: {REMEDIES[self.scale_dtype]}"
            )
        chunks = list(row_chunks(weight, WHOLE))
        arrays = {
            "payload": pack_parts(
                (codes_of(rows).cpu().numpy().reshape(-1) for rows in chunks),
                self.bits,
                [weight[rows].numel() for rows in chunks],
            ),
            "scale": stored(scale.squeeze(2), self.scale_dtype),
        }
        if self.placement == "asymmetric":
            points = zero.to(torch.uint8).cpu().numpy()
            arrays["zero_point"] = pack(points.reshape(-1), self.bits)
        return arrays

    def weights(
        self, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...], granularity: Granularity
    ) -> "Tensor":
        """Levels of the stored codes; float32, of that shape."""
        weight = unfilled(shape)
        codes = torch.from_numpy(unpack(arrays["payload"], self.bits, weight.numel())).view(shape)
        scale = restored(arrays["scale"])
        zero = self._restored_zeros(arrays, scale)
        for rows in row_chunks(weight):
            of_rows = of(scale.unsqueeze(2), rows), of(zero.unsqueeze(2), rows)
            for found, code, step, shift in _blocks(
                weight[rows], codes[rows], *of_rows, granularity
            ):
                dequantize_into(code, step, shift, found)
        return weight

    @property
    def _centre(self) -> float:
        return (self.levels - 1) / 2

    def _restored_zeros(self, arrays: Mapping[str, NDArray[Any]], scales: "Tensor") -> "Tensor":
        if self.placement != "asymmetric":
            return torch.full_like(scales, self._centre)
        points = unpack(arrays["zero_point"], self.bits, scales.numel())
        return torch.from_numpy(points.astype(np.float32)).view(scales.shape)

    def _fit_blocks(self, values: "Tensor") -> tuple["Tensor", "Tensor"]:
        blocks = values.float()
        low, high = minmax(blocks)
        if not all_finite(torch.stack((low, high))):
            require_finite(values)
        if not isinstance(self.clip, str):
            low, high = within_deviations(blocks, low, high, self.clip)
        scale, zero = self._spanning(low, high)
        if self.clip == "mse":
            scale = shrunk_for_least_error(blocks, scale, zero, self.levels)
        return round_to(scale, self.scale_dtype, "scale"), zero

    def _spanning(self, low: "Tensor", high: "Tensor") -> tuple["Tensor", "Tensor"]:
        """Scale and zero point (the code of the level zero) of the grid that spans low to high."""
        intervals = self.levels - 1
        if self.placement == "asymmetric":
            low, high = low.clamp(max=0), high.clamp(min=0)
            scale = (high - low) / intervals
            zero = -low / torch.where(scale == 0, torch.ones_like(scale), scale)
            return scale, zero.round().clamp(0, intervals)
        scale = 2 * torch.maximum(-low, high) / intervals
        return scale, torch.full_like(scale, self._centre)


def of(per_block: "Tensor", rows: slice) -> "Tensor":
    """Rows of a per-block quantity, which has one row if all share a block."""
    return per_block if per_block.shape[0] == 1 else per_block[rows]


def _blocks(
    weight: "Tensor", codes: "Tensor", scale: "Tensor", zero: "Tensor", granularity: Granularity
) -> Iterator[tuple["Tensor", "Tensor", "Tensor", "Tensor"]]:
    """Weights and codes as ``split`` cuts them, with the scales and zero points of their blocks."""
    first = 0
    for values, code in zip(split(weight, granularity), split(codes, granularity), strict=True):
        blocks = slice(first, first + values.shape[1])
        yield values, code, scale[:, blocks], zero[:, blocks]
        first = blocks.stop
