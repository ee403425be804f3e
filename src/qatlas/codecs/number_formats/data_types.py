"""Data types of few bits: the level of every code, and how a number is rounded to one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import ml_dtypes
import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch

Singles = NDArray[np.float32]
Codes = NDArray[np.uint8]

Ties = Literal["lower", "upper", "away", "even"]

_GOES_UP: dict[Ties, Callable[[Singles, Codes], NDArray[np.bool_]]] = {
    "lower": lambda middles, above: np.zeros(middles.shape, np.bool_),
    "upper": lambda middles, above: np.ones(middles.shape, np.bool_),
    "away": lambda middles, above: middles > 0,
    "even": lambda middles, above: above % 2 == 0,
}
"""Whether a number midway between two levels goes to the upper one, whose code is ``above``."""


@dataclass(frozen=True)
class DataType:
    """Levels by code, and the rule for numbers midway between two of them.

    Attributes
    ----------
    levels
        Float32, shape (2^bits,); NaN for codes that stand for nothing finite. Of two codes of
        zero the first is used.
    top
        The level that the largest weight of a block is scaled to.
    ties
        Where a number midway between two levels goes: to the lower, to the upper, away from zero,
        or to the even code.
    offset
        Added, in single precision, before a number is compared with the middles of its levels,
        which are moved alike: where another implementation does this, numbers within its rounding
        error of a middle follow it.
    """

    levels: Singles
    top: float
    ties: Ties
    offset: float = 0.0

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return int(self.levels.size - 1).bit_length()


@dataclass(frozen=True)
class Rounding:
    """A data type prepared for rounding.

    The upper half of a float32 tells how many thresholds lie below all numbers that begin so;
    at most one more lies among them, since these differ by less than 1 % and levels by more.
    """

    below: Codes
    thresholds: Singles
    codes: Codes
    offset: np.float32


def rounding(data_type: DataType) -> Rounding:
    """Thresholds between levels: a number above t thresholds gets the t-th code in rising order."""
    finite = np.flatnonzero(np.isfinite(data_type.levels))
    levels, first = np.unique(data_type.levels[finite], return_index=True)
    codes = finite[first].astype(np.uint8)
    middles = (levels[:-1] + levels[1:]) / np.float32(2) + np.float32(data_type.offset)
    goes_up = _GOES_UP[data_type.ties](middles - np.float32(data_type.offset), codes[1:])
    thresholds = np.where(goes_up, np.nextafter(middles, np.float32(-np.inf)), middles)
    patterns = np.arange(1 << 16, dtype=np.uint32) << 16
    patterns[1 << 15 :] |= 0xFFFF  # of the negative numbers that begin so the least
    return Rounding(
        np.searchsorted(thresholds, patterns.view(np.float32)).astype(np.uint8),
        np.append(thresholds, np.float32(np.inf)),
        codes,
        np.float32(data_type.offset),
    )


def nearest_codes(blocks: Singles, inverse: Singles, rule: Rounding, codes: Codes) -> None:
    """Write the code of the level nearest to each weight times its block's inverse scale.

    Parameters
    ----------
    blocks
        Shape (rows, blocks, weights).
    inverse
        Finite, shape (rows, blocks).
    codes
        Uint8, shape (rows, blocks, weights).
    """
    _nearest(blocks, inverse, rule.below, rule.thresholds, rule.codes, rule.offset, codes)


@numba.njit(cache=True)
def scaled_levels(codes: Any, scale: Any, levels: Any, values: Any) -> None:
    """Write the level of each code times its block's scale, rounded once.

    Parameters
    ----------
    codes
        Uint8, shape (rows, blocks, weights).
    scale
        Float32, shape (rows, blocks).
    levels
        Float32, one a code.
    values
        Float32, shape (rows, blocks, weights).
    """
    for row in range(codes.shape[0]):
        for block in range(codes.shape[1]):
            factor = scale[row, block]
            for i in range(codes.shape[2]):
                values[row, block, i] = levels[codes[row, block, i]] * factor


@numba.njit(cache=True)
def _nearest(
    blocks: Any, inverse: Any, below: Any, thresholds: Any, codes: Any, offset: Any, found: Any
) -> None:
    scaled = np.empty(blocks.shape[2], np.float32)
    patterns = scaled.view(np.uint32)
    for row in range(blocks.shape[0]):
        for block in range(blocks.shape[1]):
            factor = inverse[row, block]
            for i in range(scaled.size):
                scaled[i] = blocks[row, block, i] * factor + offset
            for i in range(scaled.size):
                count = below[patterns[i] >> np.uint32(16)]
                found[row, block, i] = codes[count + (scaled[i] > thresholds[count])]


def _of_ml_dtypes(dtype: type) -> Callable[[], DataType]:
    def make() -> DataType:
        limits: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
        codes = np.arange(1 << limits.bits, dtype=np.uint8)
        levels = codes.view(dtype).astype(np.float32)
        levels[~np.isfinite(levels)] = np.nan
        return DataType(levels, float(limits.max), "even")

    return make


def _integers(bits: int, lowest: int, top: int, ties: Ties, offset: float = 0.0) -> DataType:
    """Integers, whose codes are 2^(bits - 1) more."""
    half = 1 << (bits - 1)
    levels = np.arange(-half, half, dtype=np.float32)
    levels[levels < lowest] = np.nan
    return DataType(levels, top, ties, offset)


def _float_of_quantiles(quantile: Callable[[Any], Any]) -> DataType:
    """Sixteen quantiles of a symmetric distribution: 8 up to the median, 9 from it, scaled to 1."""
    outermost = (1 / 32 + 1 / 30) / 2
    negative = quantile(np.linspace(outermost, 0.5, 8))
    positive = quantile(np.linspace(0.5, 1 - outermost, 9))[1:]
    levels = np.concatenate([negative[:-1], [0.0], positive])
    return DataType((levels / np.abs(levels).max()).astype(np.float32), 1.0, "lower")


def _student_float() -> DataType:
    from scipy.special import stdtrit  # what scipy.stats.t.ppf calls

    return _float_of_quantiles(lambda probability: stdtrit(5.0, probability))


def _normal_float() -> DataType:
    return DataType(np.array(_NF4, np.float32), 1.0, "lower")


def _bitsandbytes_fp4() -> DataType:
    halves = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3], np.float32) / np.float32(12)
    return DataType(np.concatenate([halves, -halves]), 1.0, "lower")


def _dynamic8() -> DataType:
    """A decimal exponent of one to seven bits, the rest of the eight a linear fraction."""
    positive: list[float] = []
    for exponent in range(7):
        # With the last digits that bitsandbytes gets from PyTorch.
        edges = torch.linspace(0.1, 1, 2**exponent + 1, dtype=torch.float32)
        positive += (10.0 ** (exponent - 6) * ((edges[:-1] + edges[1:]) / 2)).tolist()
    negative = [-level for level in positive]
    levels = np.sort(np.array([*negative, 0, *positive, 1], np.float32))
    return DataType(levels, 1.0, "lower")


_NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)

_MAKERS: dict[str, Callable[[], DataType]] = {
    "nf4": _normal_float,
    "sf4": _student_float,
    "fp4_bitsandbytes": _bitsandbytes_fp4,
    "fp4_e2m1": _of_ml_dtypes(ml_dtypes.float4_e2m1fn),
    "fp8_e4m3": _of_ml_dtypes(ml_dtypes.float8_e4m3fn),
    "fp8_e5m2": _of_ml_dtypes(ml_dtypes.float8_e5m2),
    "int4": lambda: _integers(4, -7, 7, "even"),
    "q4_0": lambda: _integers(4, -8, -8, "upper", 8.5),
    "q8_0": lambda: _integers(8, -127, 127, "away"),
    "dynamic8": _dynamic8,
}


@cache
def data_type(name: str) -> DataType:
    """Data type of that name.

    nf4: normal float, the values of bitsandbytes (Dettmers et al. 2023, arXiv 2305.14314).
    sf4: the same construction from Student's t with 5 degrees of freedom (Dotzel et al. 2024,
    arXiv 2405.03103).
    fp4_bitsandbytes: the FP4 of bitsandbytes, which is not E2M1.
    fp4_e2m1, fp8_e4m3, fp8_e5m2: as ml_dtypes has them (OCP Microscaling Formats v1.0;
    Micikevicius et al. 2022, arXiv 2209.05433); numbers beyond the largest go to the largest.
    int4: -7 to 7. q4_0, q8_0: the integers of llama.cpp and its rounding.
    dynamic8: the signed dynamic tree type (Dettmers 2015, arXiv 1511.04561).
    """
    return _MAKERS[name]()


@cache
def rounding_to(name: str) -> Rounding:
    """Rounding to the data type of that name."""
    return rounding(data_type(name))
