"""Weights to codes of a uniform grid and back, block by block.

Each direction has a plain form in PyTorch, for any device, and a compiled one for the CPU that
does the same operations in the same order.
"""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


def quantize(blocks: "Tensor", scale: "Tensor", zero: "Tensor", levels: int) -> "Tensor":
    """Nearest code, 0 to levels - 1, of each weight, as float32; a scale of zero gives zero's.

    Parameters
    ----------
    blocks
        Float32, shape (rows, blocks, weights).
    scale, zero
        Float32, shape (rows or 1, blocks, 1).
    levels
        Number of levels of the grid.
    """
    steps = blocks / torch.where(scale == 0, torch.ones_like(scale), scale)
    return steps.add_(zero).round_().clamp_(0, levels - 1)


def dequantize(codes: "Tensor", scale: "Tensor", zero: "Tensor") -> "Tensor":
    """Level of each code, float32: (code - zero) * scale."""
    return (codes - zero).mul_(scale)


def quantize_into(
    blocks: "Tensor", scale: "Tensor", zero: "Tensor", levels: int, codes: "Tensor"
) -> None:
    """Write what ``quantize`` gives as uint8 into ``codes``, of the same shape as the blocks."""
    if blocks.device.type != "cpu":
        codes.copy_(quantize(blocks, scale, zero, levels))
        return
    parameters = scale.squeeze(2).numpy(), zero.squeeze(2).numpy(), np.float32(levels - 1)
    _quantize(blocks.numpy(), *parameters, codes.numpy())


def dequantize_into(codes: "Tensor", scale: "Tensor", zero: "Tensor", values: "Tensor") -> None:
    """Write what ``dequantize`` gives for uint8 codes on the CPU into ``values``."""
    _dequantize(codes.numpy(), scale.squeeze(2).numpy(), zero.squeeze(2).numpy(), values.numpy())


@numba.njit(cache=True)
def _quantize(blocks: Any, scale: Any, zero: Any, top: Any, codes: Any) -> None:
    for row in range(blocks.shape[0]):
        of = row if scale.shape[0] > 1 else 0
        for block in range(blocks.shape[1]):
            step = scale[of, block] if scale[of, block] != 0 else np.float32(1)
            shift = zero[of, block]
            for i in range(blocks.shape[2]):
                code = np.rint(blocks[row, block, i] / step + shift)
                code = code if code > 0 else np.float32(0)
                codes[row, block, i] = np.uint8(code if code < top else top)


@numba.njit(cache=True)
def _dequantize(codes: Any, scale: Any, zero: Any, values: Any) -> None:
    for row in range(codes.shape[0]):
        of = row if scale.shape[0] > 1 else 0
        for block in range(codes.shape[1]):
            step, shift = scale[of, block], zero[of, block]
            for i in range(codes.shape[2]):
                values[row, block, i] = (np.float32(codes[row, block, i]) - shift) * step
