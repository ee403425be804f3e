"""Where to clip: the range of a block's grid, from its weights."""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.scalar.grid import dequantize, quantize
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_COARSE = 0.9 ** np.arange(50, dtype=np.float32)
_FINE = np.linspace(0.9, 1.1, 21, dtype=np.float32)
_HOPELESS = 16.0
_RUN = 4096


def minmax(blocks: "Tensor") -> tuple["Tensor", "Tensor"]:
    """Smallest and largest weight of each block; float32, shape (rows, blocks, 1)."""
    if blocks.shape[:2] == (1, 1):
        low, high = torch.aminmax(blocks)
        return low.view(1, 1, 1), high.view(1, 1, 1)
    # Along a dimension these two are vectorized, which aminmax is not.
    return blocks.amin(2, keepdim=True), blocks.amax(2, keepdim=True)


def within_deviations(
    blocks: "Tensor", low: "Tensor", high: "Tensor", k: float
) -> tuple["Tensor", "Tensor"]:
    """Mean -+ k standard deviations of each block, never beyond its smallest and largest weight."""
    mean, deviation = (_moments_on_cpu if blocks.device.type == "cpu" else moments)(blocks)
    reach = k * deviation
    return torch.maximum(low, (mean - reach).float()), torch.minimum(high, (mean + reach).float())


def moments(blocks: "Tensor") -> tuple["Tensor", "Tensor"]:
    """Mean and standard deviation of each block; float64, shape (rows, blocks, 1)."""
    # Double precision makes the sums' order, and so the number of threads, irrelevant.
    deviations = blocks.to(torch.double, copy=True)
    mean = deviations.mean(2, keepdim=True)
    return mean, deviations.sub_(mean).square_().mean(2, keepdim=True).sqrt()


def _moments_on_cpu(blocks: "Tensor") -> tuple["Tensor", "Tensor"]:
    found = torch.from_numpy(_moments(blocks.numpy()))
    return found[0].unsqueeze(2), found[1].unsqueeze(2)


def shrunk_for_least_error(
    blocks: "Tensor", scale: "Tensor", zero: "Tensor", levels: int
) -> "Tensor":
    """Scales shrunk by the factor with the smallest squared error, found by search.

    A geometric search from 1 down to 0.006 (outliers of a hundred deviations need that) is
    refined to steps of one percent around its best, where the squared error is flat. Once it is
    many times the least found, still smaller factors are not tried: they only clip more.

    Parameters
    ----------
    blocks
        Float32, shape (rows, blocks, weights).
    scale, zero
        Scale of the unclipped range and zero point, float32, shape (rows, blocks, 1).
    levels
        Number of levels of the grid.
    """
    search = _factor_on_cpu if blocks.device.type == "cpu" else factor_of_least_error
    scale = scale * search(blocks, scale, zero, levels, _COARSE)
    return scale * search(blocks, scale, zero, levels, _FINE)


def factor_of_least_error(
    blocks: "Tensor", scale: "Tensor", zero: "Tensor", levels: int, factors: NDArray[np.float32]
) -> "Tensor":
    """For each block the factor on its scale with the smallest squared error; (rows, blocks, 1)."""
    errors = []
    for factor in factors.tolist():
        shrunk = scale * factor
        codes = quantize(blocks, shrunk, zero, levels)
        errors.append((blocks - dequantize(codes, shrunk, zero)).square().sum(2, keepdim=True))
    candidates = torch.from_numpy(factors).to(blocks.device)
    return candidates[torch.stack(errors).argmin(0)]


def _factor_on_cpu(
    blocks: "Tensor", scale: "Tensor", zero: "Tensor", levels: int, factors: NDArray[np.float32]
) -> "Tensor":
    best = _best_factors(
        blocks.reshape(-1, blocks.shape[2]).contiguous().numpy(),
        scale.reshape(-1).contiguous().numpy(),
        zero.reshape(-1).contiguous().numpy(),
        np.float32(levels - 1),
        factors,
    )
    return torch.from_numpy(best).view(scale.shape)


# Sums may be reordered by the compiler, so that they use vector registers; for that it must see
# the number of weights, which iterating over an array hides.
@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _moments(blocks: Any) -> Any:
    """Mean and standard deviation, float64, shape (2, rows, blocks)."""
    found = np.empty((2, blocks.shape[0], blocks.shape[1]))
    for row in range(blocks.shape[0]):
        for block in range(blocks.shape[1]):
            total = 0.0
            for i in range(blocks.shape[2]):
                total += np.float64(blocks[row, block, i])
            mean = total / blocks.shape[2]
            squares = 0.0
            for i in range(blocks.shape[2]):
                squares += (np.float64(blocks[row, block, i]) - mean) ** 2
            found[0, row, block] = mean
            found[1, row, block] = np.sqrt(squares / blocks.shape[2])
    return found


@numba.njit(cache=True)
def _squared_error(block: NDArray[np.float32], step: Any, zero: Any, top: Any) -> float:
    """Squared error of a block, summed in double precision over runs of weights."""
    error = 0.0
    for start in range(0, block.size, _RUN):
        stop = min(start + _RUN, block.size)
        error += _squared_error_of_run(block, start, stop, step, zero, top)
    return error


@numba.njit(cache=True, fastmath=True)
def _squared_error_of_run(
    block: NDArray[np.float32], start: int, stop: int, step: Any, zero: Any, top: Any
) -> Any:
    """Squared error in single precision, so that the processor takes several weights at once."""
    steps = np.float32(1) / step
    error = np.float32(0)
    for i in range(start, stop):
        code = np.rint(block[i] * steps + zero)
        code = code if code > 0 else np.float32(0)
        code = code if code < top else top
        difference = block[i] - (code - zero) * step
        error += difference * difference
    return error


@numba.njit(cache=True)
def _best_factors(
    blocks: NDArray[np.float32],
    scale: NDArray[np.float32],
    zero: NDArray[np.float32],
    top: Any,
    factors: NDArray[np.float32],
) -> NDArray[np.float32]:
    best = np.ones(scale.size, np.float32)
    for block in range(scale.size):
        if scale[block] == 0:
            continue
        least = np.inf
        for factor in factors:
            error = _squared_error(blocks[block], scale[block] * factor, zero[block], top)
            if error < least:
                least = error
                best[block] = factor
            elif error > _HOPELESS * least:
                break
    return best
