"""Entropy-coded trellis-coded quantization at a wanted rate: step, code lengths and path together.

Source: path and code lengths alternate as in entropy-constrained vector quantization, Chou,
Lookabaugh & Gray, IEEE Trans. Acoust. Speech Signal Process. 37 (1989), which Fischer & Wang,
IEEE Trans. Inf. Theory 38 (1992), and Marcellin, IEEE Trans. Commun. 42 (1994), bring to trellises.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.entropy_coding.level_histograms import (
    REACH,
    Histogram,
    code_lengths,
    histogram_bits,
    histograms_of,
    scalar_histograms,
)
from qatlas.codecs.trellises.ungerboeck import Levels, Trellis, cheapest_path

Floats: TypeAlias = NDArray[np.float32]
Contexts: TypeAlias = NDArray[np.uint8]
Offsets: TypeAlias = NDArray[np.int8]

OFFSETS = 8
"""Levels 1 to this have an offset each, mirrored below zero; those beyond share the last."""

OFFSET_UNIT = 1 / 128
"""Unit of a stored offset, in steps."""

FARTHEST_LEVEL = 1 << 22
"""No level is farther from zero: float32 has no more digits."""

# Anything from 0.15 to 0.45 ends on the same rate-distortion curve within 0.001 bit.
_SQUARED_STEPS_PER_BIT = 0.25
# In standard deviations. Beyond, a higher price of a bit lowers the rate more smoothly.
_WIDEST_STEP = 1.0
_SAMPLE = 1 << 16
_SAMPLE_PASSES = 10
_PASSES = 12
_TOLERANCE_BITS = 0.001
_STALE_OCTAVES = 0.25
_LARGEST_MOVE_OCTAVES = 4.0
_LEAST_TELLING_OCTAVES = 0.02
# Mean squares a bit: at this price next to nothing is worth one.
_DEAREST = 2.0**20


@dataclass(frozen=True)
class Quantized:
    """Levels, what they stand for, and what they cost.

    Attributes
    ----------
    price
        Squared error that a bit was worth, in the weights' unit squared.
    step
        Distance between levels, in the weights' unit; a float32 number.
    offsets
        Int8, shape (``OFFSETS``,), in ``OFFSET_UNIT`` steps.
    levels
        Int32, shape (n,).
    histograms
        Of the levels in each context.
    bits
        Length of the coded levels with their tables, within a few bytes.
    """

    price: float
    step: float
    offsets: Offsets
    levels: Levels
    histograms: tuple[Histogram, ...]
    bits: float


@dataclass(frozen=True)
class _Target:
    """Bits wanted for so many values in so many contexts, and how far step and price may go."""

    bits: float
    values: int
    contexts: int
    narrowest: float
    widest: float
    dearest: float


def quantize_at_rate(
    values: Floats,
    contexts: Contexts,
    trellis: Trellis,
    bits: float,
    generator: np.random.Generator,
) -> Quantized:
    """Quantize so that levels and tables take so many bits in all, as nearly as can be.

    Each pass finds the cheapest path under the code lengths of the pass before, takes new ones from
    it, and moves the price of a bit towards the wanted rate; the step follows from the price.
    Ten passes see a sample of 65,536 values; then up to twelve see all, until the rate is within
    0.001 bit a value, and the nearest is kept.

    Parameters
    ----------
    values
        Float32, shape (n,), not all zero, and neither so large nor so small that float32 does not
        hold the largest divided by ``FARTHEST_LEVEL``.
    contexts
        Uint8, shape (n,), 0 to the number of contexts - 1: values whose levels share code lengths.
    trellis
        Where the path lies.
    bits
        Wanted.
    generator
        Draws the sample.
    """
    power = float(np.mean(np.square(values, dtype=np.float64)))
    target = _Target(
        bits=bits,
        values=values.size,
        contexts=int(contexts.max()) + 1,
        narrowest=float(np.abs(values).max()) / FARTHEST_LEVEL,
        widest=_WIDEST_STEP * power**0.5,
        dearest=_DEAREST * power,
    )
    price = power * 4.0 ** -max(bits / values.size, 0.0)
    sampled = values, contexts
    if values.size > _SAMPLE:
        drawn = np.sort(generator.integers(values.size, size=_SAMPLE))
        sampled = values[drawn], contexts[drawn]
    warm = next(islice(_passes(*sampled, trellis, target, price), _SAMPLE_PASSES - 1, None))
    passes = _passes(values, contexts, trellis, target, warm.price, warm)
    nearest = next(passes)
    for quantized in islice(passes, _PASSES - 1):
        if abs(nearest.bits - bits) <= _TOLERANCE_BITS * values.size:
            break
        if abs(quantized.bits - bits) < abs(nearest.bits - bits):
            nearest = quantized
    return nearest


def levels_to_steps(levels: NDArray[np.int64] | Levels, offsets: Offsets) -> Floats:
    """What levels stand for, in steps; float32, same shape."""
    moved = np.concatenate([np.zeros(1), offsets * OFFSET_UNIT]).astype(np.float32)
    moved = moved[np.minimum(np.abs(levels), offsets.size)]
    return levels.astype(np.float32) + np.sign(levels).astype(np.float32) * moved


def _passes(
    values: Floats,
    contexts: Contexts,
    trellis: Trellis,
    target: _Target,
    price: float,
    before: Quantized | None = None,
) -> Iterator[Quantized]:
    """Passes without end, each at a price that should bring it nearer to the target."""
    slope = 1.0
    while True:
        step = (price / _SQUARED_STEPS_PER_BIT) ** 0.5
        step = float(np.float32(max(min(step, target.widest), target.narrowest)))
        now = _one_pass(values, contexts, trellis, target, price, step, before)
        yield now
        if before is not None:
            slope = _slope(before, now, target.values, slope)
        octaves = (now.bits - target.bits) / target.values / slope
        octaves = max(min(octaves, _LARGEST_MOVE_OCTAVES), -_LARGEST_MOVE_OCTAVES)
        before, price = now, min(now.price * 4.0**octaves, target.dearest)


def _slope(before: Quantized, now: Quantized, values: int, slope: float) -> float:
    """Bits a value by which the rate falls when the step, or the price's root, doubles."""
    octaves = 0.5 * float(np.log2(now.price / before.price))
    if abs(octaves) < _LEAST_TELLING_OCTAVES:
        return slope
    return min(max((before.bits - now.bits) / values / octaves, 0.5), 1.5)


def _one_pass(
    values: Floats,
    contexts: Contexts,
    trellis: Trellis,
    target: _Target,
    price: float,
    step: float,
    before: Quantized | None,
) -> Quantized:
    scaled = (values / np.float64(step)).astype(np.float32)
    if before is None or abs(np.log2(step / before.step)) > _STALE_OCTAVES:
        histograms = scalar_histograms(scaled, contexts, target.contexts)
    else:
        histograms = before.histograms
    reach = min(int(np.abs(scaled).max()) + 8, REACH)
    bit = np.float32(price / step**2)
    lengths = np.stack([bit * code_lengths(histogram, reach) for histogram in histograms])
    levels = cheapest_path(scaled, contexts, trellis, lengths)
    histograms = histograms_of(levels, contexts, target.contexts)
    bits = sum(histogram_bits(histogram, target.values / values.size) for histogram in histograms)
    return Quantized(price, step, _centroid_offsets(scaled, levels), levels, histograms, bits)


def _centroid_offsets(scaled: Floats, levels: Levels) -> Offsets:
    """Mean distance from the levels of what was quantized to them, outwards."""
    sums, counts = np.zeros(OFFSETS + 1), np.zeros(OFFSETS + 1)
    _sum_offsets(scaled, levels, sums, counts)
    offsets = np.rint(sums[1:] / np.maximum(counts[1:], 1) / OFFSET_UNIT)
    clipped: Offsets = np.clip(offsets, -127, 127).astype(np.int8)
    return clipped


@numba.njit(cache=True)
def _sum_offsets(
    scaled: Floats, levels: Levels, sums: NDArray[np.float64], counts: NDArray[np.float64]
) -> None:
    for i in range(levels.size):
        level = levels[i]
        outwards = scaled[i] - level if level > 0 else level - scaled[i]
        sums[min(abs(level), OFFSETS)] += outwards
        counts[min(abs(level), OFFSETS)] += 1
