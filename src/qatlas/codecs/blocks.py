"""How a matrix is cut into the blocks that share a scale."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from qatlas.codecs.base import CodecError
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor

Granularity = Literal["tensor", "channel"] | Annotated[int, Field(ge=1)]
"""One block for the tensor, one a row (output channel), or groups of so many weights along it."""

_CHUNK_WEIGHTS = 1 << 18


def requirements_of_groups(granularity: Granularity) -> Requirements:
    """Rows as long as a group."""
    if isinstance(granularity, str):
        return Requirements()
    return Requirements(
        columns=granularity,
        parameter="granularity",
        remedy="take at most {columns}, or 'channel'",
    )


def split(matrix: "Tensor", granularity: Granularity) -> tuple["Tensor", ...]:
    """Views of a matrix as (rows, blocks in a row, weights in a block), left to right.

    There are two where the last group of a row is shorter than the others. For "tensor" every
    row is given as a part of the one block.

    Raises
    ------
    CodecError
        If a group is longer than a row.
    """
    rows, columns = matrix.shape
    if isinstance(granularity, str):
        return (matrix.unsqueeze(1),)
    if granularity > columns > 0:
        raise CodecError(
            f"granularity: a group of {granularity} weights is longer than a row of {columns}; "
            f"take at most {columns}, or 'channel'"
        )
    whole = columns - columns % granularity
    groups = matrix[:, :whole].view(rows, whole // granularity, granularity)
    return (groups, matrix[:, whole:].unsqueeze(1)) if whole < columns else (groups,)


def row_chunks(blocks: "Tensor", multiple: int = 1) -> Iterator[slice]:
    """Slices of consecutive rows, so few that what is computed on them stays in the cache.

    The slices begin at multiples of ``multiple`` rows.
    """
    rows = blocks.shape[0]
    step = _CHUNK_WEIGHTS * rows // max(blocks.numel(), 1)
    step = max(multiple, step - step % multiple)
    return (slice(start, start + step) for start in range(0, rows, step))
