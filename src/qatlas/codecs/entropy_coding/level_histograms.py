"""Histograms of a trellis quantizer's levels, and what coding the levels with them takes."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.entropy_coding.bit_strings import gamma
from qatlas.codecs.entropy_coding.coder import coded_bits

Floats: TypeAlias = NDArray[np.float32]
Levels: TypeAlias = NDArray[np.int32]
Contexts: TypeAlias = NDArray[np.uint8]

REACH = 1 << 14
"""Levels farther from zero are so rare that their code lengths are not told apart."""

_UNSEEN = 0.1


@dataclass(frozen=True)
class Histogram:
    """Levels that occur, int64 and increasing, and how often each does."""

    levels: NDArray[np.int64]
    counts: NDArray[np.int64]


def scalar_histograms(scaled: Floats, contexts: Contexts, count: int) -> tuple[Histogram, ...]:
    """For each context, of the nearest even and the nearest odd level of each of its values."""
    nearest = [2 * np.rint((scaled - odd) / 2).astype(np.int32) + odd for odd in (0, 1)]
    return histograms_of(np.concatenate(nearest), np.tile(contexts, 2), count)


def histograms_of(levels: Levels, contexts: Contexts, count: int) -> tuple[Histogram, ...]:
    """Of the levels in each of so many contexts."""
    return tuple(_histogram(levels[contexts == context]) for context in range(count))


def code_lengths(histogram: Histogram, reach: int) -> Floats:
    """Bits of the levels -reach to reach, each given its superset; those not seen are dear."""
    counts = np.zeros(2 * reach + 1)
    near = np.abs(histogram.levels) <= reach
    counts[histogram.levels[near] + reach] = histogram.counts[near]
    totals = [max(int(own.counts.sum()), 1) for own in _by_superset(histogram)]
    odd = np.arange(-reach, reach + 1) & 1
    shares = np.maximum(counts, _UNSEEN) / np.array(totals)[odd]
    lengths: Floats = -np.log2(shares, dtype=np.float32)
    return lengths


def histogram_bits(histogram: Histogram, scale: float) -> float:
    """Bits of the levels and their tables if all counts were larger by a factor."""
    bits = 0.0
    for own in _by_superset(histogram):
        counts = np.rint(own.counts * scale).astype(np.int64)
        bits += coded_bits(own.levels >> 1, counts) + len(gamma(int(counts.sum())))
    return bits


def _histogram(levels: Levels) -> Histogram:
    far = np.abs(levels) > REACH
    near = np.bincount(levels[~far] + REACH)
    values, counts = np.unique(levels[far], return_counts=True)
    values = np.concatenate([np.flatnonzero(near) - REACH, values])
    counts = np.concatenate([near[near > 0], counts])
    order = np.argsort(values)
    return Histogram(values[order].astype(np.int64), counts[order])


def _by_superset(histogram: Histogram) -> list[Histogram]:
    """Even levels and odd levels."""
    odd = (histogram.levels & 1).astype(bool)
    return [Histogram(histogram.levels[own], histogram.counts[own]) for own in (~odd, odd)]
