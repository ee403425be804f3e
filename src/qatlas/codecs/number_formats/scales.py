"""Scales of blocks: from the largest weight of each, and as they are stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import frexp
from typing import Any

import ml_dtypes
import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.number_formats.data_types import (
    data_type,
    nearest_codes,
    rounding_to,
    scaled_levels,
)

Singles = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

_LEAST = np.float32(1e-38)
_NESTED_BLOCK = 256


@dataclass(frozen=True)
class ScaleStorage:
    """How scales are stored.

    Attributes
    ----------
    store
        From the reach of each block (its largest weight, shape (rows, blocks)) and the level it
        is scaled to, the arrays that are stored.
    restore
        From these the scales, float32, shape (rows, blocks).
    rounds_first
        Whether weights are rounded to levels of the scale as stored, rather than as computed.
    """

    store: Callable[[Singles, float], Arrays]
    restore: Callable[[Mapping[str, NDArray[Any]]], Singles]
    rounds_first: bool = True


def exact_scale(reach: Singles, top: float) -> Singles:
    """Scale that maps ``reach`` to ``top``."""
    scale: Singles = reach / np.float32(top)
    return scale


def inverse_of(scale: Singles) -> Singles:
    """Reciprocals, finite for zeros and subnormal numbers too."""
    safe = np.where(np.abs(scale) < _LEAST, np.copysign(_LEAST, scale), scale)
    return np.reciprocal(safe, dtype=np.float32)


def largest_magnitude(blocks: Singles) -> Singles:
    """Largest magnitude in each block; C-contiguous (rows, blocks, weights) to (rows, blocks)."""
    magnitudes = np.empty(blocks.shape[:2], np.float32)
    _largest(blocks.view(np.int32), magnitudes.view(np.int32))
    return magnitudes


def largest_weight(blocks: Singles) -> Singles:
    """The first of the weights of the largest magnitude in each block, with its sign."""
    weights = np.empty(blocks.shape[:2], np.float32)
    _largest_signed(blocks.view(np.int32), blocks.view(np.uint32), weights.view(np.uint32))
    return weights


@numba.njit(cache=True)
def _largest(patterns: Any, largest: Any) -> None:
    """Without the sign bit, floats are in the order of their patterns, which vectorizes."""
    for row in range(patterns.shape[0]):
        for block in range(patterns.shape[1]):
            most = np.int32(0)
            for i in range(patterns.shape[2]):
                most = max(most, patterns[row, block, i] & np.int32(0x7FFFFFFF))
            largest[row, block] = most


@numba.njit(cache=True)
def _largest_signed(signed: Any, unsigned: Any, largest: Any) -> None:
    """Read as signed, the largest pattern is of a positive weight; as unsigned, of a negative."""
    sign = np.uint32(1 << 31)
    for row in range(signed.shape[0]):
        for block in range(signed.shape[1]):
            positive = np.int32(-1)
            negative = np.uint32(0)
            for i in range(signed.shape[2]):
                positive = max(positive, signed[row, block, i])
                negative = max(negative, unsigned[row, block, i])
            below = np.int64(negative) - np.int64(sign)
            above = np.int64(positive) if positive > 0 else np.int64(0)
            largest[row, block] = negative if below > above else np.uint32(above)
            if above == below:
                for pattern in unsigned[row, block]:
                    if pattern & ~sign == above:
                        largest[row, block] = pattern
                        break


def _floats(dtype: str, rounds_first: bool = True) -> ScaleStorage:
    def store(reach: Singles, top: float) -> Arrays:
        with np.errstate(over="ignore"):
            return {"scale": exact_scale(reach, top).astype(dtype)}

    return ScaleStorage(store, lambda arrays: arrays["scale"].astype(np.float32), rounds_first)


def _store_powers(reach: Singles, top: float) -> Arrays:
    """2^(floor(log2 reach) - floor(log2 top)); the least power for a block of zeros."""
    exponents = np.frexp(reach)[1] - frexp(top)[1]
    biased = np.where(reach == 0, 0, np.clip(exponents + 127, 0, 254))
    return {"scale": biased.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu)}


def _restore_powers(arrays: Mapping[str, NDArray[Any]]) -> Singles:
    exponents = arrays["scale"].view(np.uint8).astype(np.int32) - 127
    return np.ldexp(np.float32(1), exponents)


def _store_two_levels(reach: Singles, top: float) -> Arrays:
    """Scales in E4M3, themselves scaled so that the largest is the largest E4M3 number."""
    scale = exact_scale(reach, top)
    largest = np.float32(data_type("fp8_e4m3").top)
    tensor = (np.max(scale, initial=0) / largest).astype(np.float32).reshape(1)
    relative = np.minimum(scale * inverse_of(tensor), largest)
    return {"scale": relative.astype(ml_dtypes.float8_e4m3fn), "scale.tensor": tensor}


def _restore_two_levels(arrays: Mapping[str, NDArray[Any]]) -> Singles:
    scales: Singles = arrays["scale"].astype(np.float32) * arrays["scale.tensor"]
    return scales


def _store_nested(reach: Singles, top: float) -> Arrays:
    """Less their mean, 8-bit dynamic numbers in blocks of 256 that share a float32 scale."""
    scale = exact_scale(reach, top)
    mean = np.float32(scale.sum(dtype=np.float64) / max(scale.size, 1))
    blocks = _in_nested_blocks(scale - mean)
    absmax = largest_magnitude(blocks)
    codes = np.empty(blocks.shape, np.uint8)
    nearest_codes(blocks, inverse_of(absmax), rounding_to("dynamic8"), codes)
    return {
        "scale": codes.reshape(-1)[: scale.size].reshape(scale.shape),
        "scale.absmax": absmax.reshape(-1),
        "scale.mean": mean.reshape(1),
    }


def _restore_nested(arrays: Mapping[str, NDArray[Any]]) -> Singles:
    codes = arrays["scale"]
    blocks = _in_nested_blocks(codes)
    scales = np.empty(blocks.shape, np.float32)
    absmax = arrays["scale.absmax"].reshape(1, -1)
    scaled_levels(blocks, absmax, data_type("dynamic8").levels, scales)
    restored: Singles = scales.reshape(-1)[: codes.size].reshape(codes.shape) + arrays["scale.mean"]
    return restored


def _in_nested_blocks(values: NDArray[Any]) -> NDArray[Any]:
    """The values in order, shape (1, blocks, 256), the last block filled up with zeros."""
    padded = np.zeros((1, -(-values.size // _NESTED_BLOCK), _NESTED_BLOCK), values.dtype)
    padded.reshape(-1)[: values.size] = values.reshape(-1)
    return padded


SCALES = {
    "float32": _floats("float32"),
    "float16": _floats("float16"),
    "bfloat16": _floats("bfloat16"),
    "e8m0": ScaleStorage(_store_powers, _restore_powers),
    "e4m3": ScaleStorage(_store_two_levels, _restore_two_levels),
    "double_quantized": ScaleStorage(_store_nested, _restore_nested, rounds_first=False),
}
"""Scale storage by the name that a codec's parameter has for it."""

LLAMA_SCALE = _floats("float16", rounds_first=False)
"""As llama.cpp stores it: weights are rounded by the scale before its own rounding."""
