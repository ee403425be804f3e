"""GPTQ: rounding to uniform grids with error feedback, in an order and with scales on the way.

Source: Frantar et al. 2022 (arXiv 2210.17323).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from qatlas.codecs.blocks import Granularity
from qatlas.codecs.calibrated.column_rounding import Columns, round_columns
from qatlas.codecs.calibrated.feedback import (
    blocks_of,
    feedback_between_columns,
    quantize_with_feedback,
)
from qatlas.codecs.calibrated.second_moment import inverse_factor
from qatlas.codecs.scalar.uniform_grid import UniformGrid
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Order = Literal["columns", "activation"]
"""From left to right, or those columns first whose inputs have the largest mean square."""

_BLOCK_COLUMNS = 128


@dataclass(frozen=True)
class Rounded:
    """A matrix on uniform grids.

    Attributes
    ----------
    codes
        Uint8, shape (rows, columns).
    scale, zero
        Of the blocks from left to right, float32, shape (rows or 1, blocks, 1).
    """

    codes: "Tensor"
    scale: "Tensor"
    zero: "Tensor"


def round_with_feedback(
    weight: "Tensor", h: "Tensor", grid: UniformGrid, granularity: Granularity, order: Order
) -> Rounded:
    """Round every weight to its block's grid after feedback from the columns before it.

    From left to right, a group's grid is fitted when its first column is reached, to weights with
    feedback; other grids are fitted beforehand, to the weights as they are.

    Parameters
    ----------
    weight
        Float32, shape (rows, columns), contiguous.
    h
        Damped second moment, float64, shape (columns, columns).

    Raises
    ------
    CodecError
        If H is not positive definite, a group is longer than a row, or a scale does not fit its
        dtype.
    """
    codes = torch.empty_like(weight, dtype=torch.uint8)
    columns = weight.shape[1]
    group = columns if isinstance(granularity, str) else granularity
    on_the_way = order == "columns" and group < columns
    scale, zero = grid.fit_all(weight, granularity)
    if not weight.numel():
        return Rounded(codes, scale, zero)
    places = torch.arange(columns, device=h.device)
    if order == "activation":
        places = torch.argsort(h.diagonal(), descending=True, stable=True)
        weight, h = weight[:, places], h[places][:, places]
    groups = places // group
    feedback = feedback_between_columns(inverse_factor(h))

    def quantize(current: "Tensor", block: slice) -> "Tensor":
        here = Columns(
            current[:, block],
            feedback[block, block],
            codes[:, block],
            torch.empty_like(current[:, block]),
        )
        for run in _runs(block, group) if on_the_way else [block]:
            if on_the_way and run.start % group == 0:
                members = current[:, run.start : run.start + group].float().unsqueeze(1)
                number = slice(run.start // group, run.start // group + 1)
                scale[:, number], zero[:, number] = grid.fit(members, granularity)
            part = slice(run.start - block.start, run.stop - block.start)
            round_columns(here, part, scale.squeeze(2), zero.squeeze(2), groups[run], grid.levels)
        return here.lost

    blocks = _blocks(columns, group if on_the_way else 1)
    quantize_with_feedback(weight.double(), feedback, blocks, quantize)
    return Rounded(codes[:, torch.argsort(places)], scale, zero)


def _blocks(columns: int, group: int) -> list[slice]:
    """Blocks of about 128 columns; those that lie within a group end where it ends."""
    if group <= _BLOCK_COLUMNS:
        return blocks_of(columns, _BLOCK_COLUMNS // group * group)
    return [
        slice(whole.start + part.start, whole.start + part.stop)
        for whole in blocks_of(columns, group)
        for part in blocks_of(whole.stop - whole.start, _BLOCK_COLUMNS)
    ]


def _runs(block: slice, group: int) -> list[slice]:
    """The parts of a block that lie in one group each."""
    cuts = [*range(block.start, block.stop, group), block.stop]
    return [slice(first, last) for first, last in pairwise(cuts)]
