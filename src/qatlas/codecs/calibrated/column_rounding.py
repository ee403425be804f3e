"""Rounding column after column to uniform grids, with error feedback between them.

There is a plain form in PyTorch, for any device, and a compiled one for the CPU that does the same
operations in the same order.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from qatlas.codecs.scalar.grid import dequantize, quantize

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Columns:
    """Neighbouring columns that are rounded one after another.

    Attributes
    ----------
    values
        What they hold, float64, shape (rows, n); changed by the feedback.
    feedback
        What is taken off a column (along rows) for what is lost of another (along columns, above
        the diagonal), float64, shape (n, n).
    codes
        Where codes go, uint8, shape (rows, n).
    lost
        Where what is lost of each column in its turn goes, float64, shape (rows, n).
    """

    values: "Tensor"
    feedback: "Tensor"
    codes: "Tensor"
    lost: "Tensor"


def round_columns(
    columns: Columns, part: slice, scale: "Tensor", zero: "Tensor", of: "Tensor", levels: int
) -> None:
    """Round a part of the columns; those after it receive the feedback.

    Weights are rounded in float32, as without feedback; errors are fed back in float64.

    Parameters
    ----------
    columns
        Its parts are to be rounded from left to right.
    part
        Which of the n.
    scale, zero
        Of blocks of weights, float32, shape (rows or 1, blocks).
    of
        Number of the block of each column of the part, int64.
    levels
        Number of levels of the grids.
    """
    if columns.values.device.type != "cpu":
        round_columns_plainly(columns, part, scale, zero, of, levels)
        return
    _round_columns(
        columns.values.numpy(),
        columns.feedback.contiguous().numpy(),
        scale.numpy(),
        zero.numpy(),
        of.numpy(),
        np.float32(levels - 1),
        part.start,
        columns.codes.numpy(),
        columns.lost.numpy(),
    )


def round_columns_plainly(
    columns: Columns, part: slice, scale: "Tensor", zero: "Tensor", of: "Tensor", levels: int
) -> None:
    """The plain form of ``round_columns``."""
    for column, block in zip(range(part.start, part.stop), of.tolist(), strict=True):
        step, shift = scale[:, block, None, None], zero[:, block, None, None]
        code = quantize(columns.values[:, column, None, None].float(), step, shift, levels)
        columns.codes[:, column] = code.view(-1)
        level = dequantize(code, step, shift).view(-1)
        columns.lost[:, column] = columns.values[:, column] - level
        later = slice(column + 1, None)
        columns.values[:, later] -= columns.lost[:, [column]] * columns.feedback[column, later]


@numba.njit(cache=True)
def _round_columns(
    values: Any,
    feedback: Any,
    scale: Any,
    zero: Any,
    of: Any,
    top: Any,
    first: int,
    codes: Any,
    lost: Any,
) -> None:
    # A row of its own is contiguous, as vector registers need it.
    ahead = np.empty(values.shape[1])
    for row in range(values.shape[0]):
        fitted = row if scale.shape[0] > 1 else 0
        ahead[:] = values[row]
        for place in range(of.size):
            column, block = first + place, of[place]
            step = scale[fitted, block] if scale[fitted, block] != 0 else np.float32(1)
            shift = zero[fitted, block]
            code = np.rint(np.float32(ahead[column]) / step + shift)
            code = code if code > 0 else np.float32(0)
            code = code if code < top else top
            level = (code - shift) * scale[fitted, block]
            codes[row, column] = np.uint8(code)
            error = ahead[column] - np.float64(level)
            lost[row, column] = error
            for later in range(column + 1, values.shape[1]):
                ahead[later] -= error * feedback[column, later]
        values[row] = ahead
