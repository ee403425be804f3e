"""Uniform cells around zero, and where in them to decode."""

from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Symbols: TypeAlias = NDArray[np.int32]

_UNITS = 128
_BITS_A_SHIFT = 8


def quantize(weights: NDArray[np.float32], steps: Floats, rounding: float) -> Symbols:
    """Signed number of steps in each weight: sign(w) floor(|w| / step + rounding).

    Parameters
    ----------
    weights
        Float32, shape (rows, columns).
    steps
        Float64, shape (rows,); a step of 0 gives symbols 0.
    rounding
        0.5 rounds to the nearest; less widens the cell of zero.
    """
    symbols = np.empty(weights.shape, np.int32)
    _quantize(weights, steps, rounding, symbols)
    return symbols


def dequantize(
    symbols: NDArray[np.int64], steps: Floats, rounding: float, shifts: NDArray[np.int8]
) -> NDArray[np.float32]:
    """Middle of each weight's cell, moved by the shift of its symbol if there is one.

    Parameters
    ----------
    symbols
        Int64, shape (rows, columns).
    steps, rounding
        As for ``quantize``.
    shifts
        What ``centroid_shifts`` gave, or none.
    """
    weights = np.empty(symbols.shape, np.float32)
    _dequantize(symbols, steps, 0.5 - rounding, shifts / _UNITS, weights)
    return weights


def centroid_shifts(
    weights: NDArray[np.float32], symbols: Symbols, steps: Floats, rounding: float
) -> NDArray[np.int8]:
    """Offsets of the cells' centroids from their middles, in 1/128 of a step, for cells -k to k.

    There are as many as pay: a shift that takes 8 bits must lower the squared error by as much
    as 8 bits spent on finer steps would, which by D ~ 2^(-2 R) is 16 ln 2 times the error
    of one weight.

    Parameters
    ----------
    weights, symbols, steps, rounding
        As for ``quantize``, and what it gave.

    Returns
    -------
    NDArray
        Int8, shape (2 k + 1,) or (0,).
    """
    reach = int(np.abs(symbols).max(initial=0))
    reach = min(reach, _UNITS * _UNITS)
    sums = np.zeros((2, 2 * reach + 1))
    error = _offsets(weights, symbols, steps, 0.5 - rounding, reach, sums)
    mass, moment = sums
    offsets = moment / np.where(mass == 0, 1, mass)
    price = _BITS_A_SHIFT * 2 * np.log(2) * error / max(symbols.size, 1)
    gain = mass * offsets**2 - price
    pairs = gain[reach:] + gain[reach::-1]
    pairs[0] = gain[reach]
    total = np.cumsum(pairs)
    kept = int(np.argmax(total))
    if total[kept] <= 0:
        return np.empty(0, np.int8)
    inner = offsets[reach - kept : reach + kept + 1]
    return np.rint(np.clip(inner * _UNITS, -_UNITS, _UNITS - 1)).astype(np.int8)


@numba.njit(cache=True)
def _quantize(weights: Any, steps: Any, rounding: float, symbols: Any) -> None:
    for row in range(weights.shape[0]):
        inverse = 1 / steps[row] if steps[row] > 0 else 0.0
        for i in range(weights.shape[1]):
            magnitude = np.floor(abs(weights[row, i]) * inverse + rounding)
            symbols[row, i] = np.int32(magnitude if weights[row, i] > 0 else -magnitude)


@numba.njit(cache=True)
def _dequantize(symbols: Any, steps: Any, outwards: float, shifts: Any, weights: Any) -> None:
    kept = (shifts.size - 1) // 2
    for row in range(symbols.shape[0]):
        for i in range(symbols.shape[1]):
            symbol = symbols[row, i]
            place = symbol + outwards * np.sign(symbol)
            if -kept <= symbol <= kept and shifts.size:
                place += shifts[symbol + kept]
            weights[row, i] = np.float32(place * steps[row])


@numba.njit(cache=True)
def _offsets(
    weights: Any, symbols: Any, steps: Any, outwards: float, reach: int, sums: Any
) -> float:
    """Squared step and offset from the middle, summed by symbol; the squared error of middles."""
    error = 0.0
    for row in range(symbols.shape[0]):
        square = steps[row] * steps[row]
        inverse = 1 / steps[row] if steps[row] > 0 else 0.0
        for i in range(symbols.shape[1]):
            symbol = symbols[row, i]
            offset = weights[row, i] * inverse - (symbol + outwards * np.sign(symbol))
            error += square * offset * offset
            if -reach <= symbol <= reach:
                sums[0, symbol + reach] += square
                sums[1, symbol + reach] += square * offset
    return error
