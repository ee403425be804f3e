"""The nearest level of a scalar codebook for every weight of a tensor, and the way back."""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


def nearest_level(weight: "Tensor", levels: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Index of the level nearest each weight, the lower of two that are equally near.

    Beside its result it takes no memory that grows with the tensor, unless this is on another
    device or not contiguous.

    Parameters
    ----------
    weight
        Finite, float16, bfloat16, float32 or float64, any shape, on any device.
    levels
        Float64, shape (k,), nondecreasing, 1 to 256 of them unless the tensor is empty.

    Returns
    -------
    NDArray
        Uint8, shape (weight.numel(),), row by row.
    """
    flat = weight.detach().cpu().reshape(-1)
    codes = np.empty(flat.numel(), np.uint8)
    middles = (levels[:-1] + levels[1:]) / 2
    if flat.element_size() == 2:
        patterns = torch.arange(1 << 16, dtype=torch.int32).to(torch.uint16)
        values = patterns.view(flat.dtype).double().numpy()
        table = np.searchsorted(middles, values).astype(np.uint8)
        _look_up(flat.view(torch.uint16).numpy(), table, codes)
    elif flat.element_size() == 4:
        # All floats that share their upper 16 bits lie between these two.
        upper = np.arange(1 << 16, dtype=np.uint32) << 16
        ends = np.stack((upper, upper | 0xFFFF)).view(np.float32)
        lowest = np.where(np.signbit(ends[0]), ends[1], ends[0])
        lowest[np.isnan(lowest)] = 0
        first = np.searchsorted(middles, lowest).astype(np.uint8)
        bounded = np.append(middles, np.inf)
        _look_up_and_climb(flat.numpy(), flat.view(torch.int32).numpy(), first, bounded, codes)
    else:
        steps = int(levels.size - 1).bit_length() if levels.size else 0
        padded = np.full((1 << steps) - 1, np.inf)
        padded[: middles.size] = middles
        _search(flat.numpy(), padded, steps, codes)
    return codes


@numba.njit(cache=True)
def levels_into(
    codes: NDArray[np.uint8], levels: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    """Write the level of each code into ``values``; all one-dimensional."""
    for i in range(codes.size):
        values[i] = levels[codes[i]]


@numba.njit(cache=True)
def _look_up(patterns: Any, table: Any, codes: Any) -> None:
    for i in range(patterns.size):
        codes[i] = table[patterns[i]]


@numba.njit(cache=True)
def _look_up_and_climb(weights: Any, patterns: Any, first: Any, middles: Any, codes: Any) -> None:
    """Climb from the lowest code of a float's upper 16 bits; ``middles`` ends with infinity."""
    for i in range(weights.size):
        weight = float(weights[i])
        code = first[(patterns[i] >> 16) & 0xFFFF]
        while weight > middles[code]:
            code += 1
        codes[i] = code


@numba.njit(cache=True)
def _search(weights: Any, middles: Any, steps: int, codes: Any) -> None:
    """Binary search without branches; ``middles`` holds 2^steps - 1 values."""
    for i in range(weights.size):
        weight = float(weights[i])
        code = 0
        for step in range(steps - 1, -1, -1):
            half = 1 << step
            code += half * (weight > middles[code + half - 1])
        codes[i] = code
