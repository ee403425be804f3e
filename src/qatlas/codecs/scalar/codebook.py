"""The optimal scalar codebook of a tensor, however many values it has.

Up to ``EXACT_POINTS`` distinct values, which no 16-bit tensor exceeds, the codebook is optimal.
Beyond, the edges between levels are confined to those of a fine histogram, where they are
optimal; bins near them are split and the edges sought again, until the bins there hold one value
each and no edge moves. The levels and edges found satisfy the conditions of Lloyd and Max;
``least_error`` bounds what better ones could reach.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.scalar.partition import group_means, optimal_partition, partition_and_penalty
from qatlas.distinct import Distinct, distinct

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EXACT_POINTS = 1 << 16
"""Up to this many distinct values the codebook is optimal."""

_NEAR = 8
"""Bins on each side of an edge that are split."""

_PARTS = 8
"""Bins that one is split into."""

_ROUNDS = 64
"""Most times that bins are split; about 5 are needed."""

_SAMPLED_A_BIN = 16
"""Weights a bin of the sample on which the tolerance is first sought."""

_RUN = 32
"""Weights whose sum is kept."""

_PASSES = 12
"""Most times that a tolerance for the error within bins is tried; 1 to 3 are needed."""


@dataclass(frozen=True)
class Histogram:
    """Sorted weights in bins of consecutive ones; equal weights share a bin.

    Attributes
    ----------
    counts
        Int64, shape (bins,), positive.
    means
        Float64, shape (bins,), increasing.
    widths
        Float64, shape (bins,): largest minus smallest weight.
    within
        Squared error of replacing every weight by its bin's mean, summed over all weights.
    """

    counts: Integers
    means: Floats
    widths: Floats
    within: float


def optimal_codebook(weight: "Tensor", levels: int) -> Floats:
    """Codebook of least squared error for a finite floating-point tensor.

    Parameters
    ----------
    weight
        Any shape, on any device; may be empty.
    levels
        Largest number of levels, at least 1.

    Returns
    -------
    NDArray
        Levels, float64, increasing; where the tensor has no more distinct values than
        ``levels``, these values.
    """
    if not weight.numel():
        return np.empty(0)
    if weight.element_size() == 2:
        return codebook_of_distinct(distinct(weight), levels)
    return codebook_of_sorted(np.sort(weight.detach().cpu().reshape(-1).numpy()), levels)


def codebook_of_distinct(points: Distinct, levels: int) -> Floats:
    """Optimal codebook of distinct values and their counts, of which there is at least one."""
    edges = optimal_partition(points.values, points.counts, levels)
    return group_means(points.values, points.counts, edges)


def codebook_of_sorted(values: NDArray[Any], levels: int) -> Floats:
    """Codebook of increasing weights, float32 or float64, of which there is at least one."""
    new = values[1:] != values[:-1]
    if np.count_nonzero(new) < EXACT_POINTS:
        starts = np.concatenate(([0], np.flatnonzero(new) + 1))
        counts = np.diff(starts, append=values.size)
        return codebook_of_distinct(Distinct(values[starts].astype(np.float64), counts), levels)
    del new
    sums = SumsBefore(values)
    edges = _settled(values, sums, levels)
    return sums.means(edges)


def default_bins(levels: int) -> int:
    """Bins among whose edges those between levels are first sought: 64 a level, or 8,192."""
    return max(1 << 13, 64 * levels)


def histogram(values: NDArray[Any], bins: int) -> Histogram:
    """Put weights into about ``bins`` bins of about equal squared error.

    So the bins are spread as the levels of an optimal quantizer are, by f^(1/3) (Panter & Dite,
    Proc. IRE 39, 1951), and each weight that lies far from all others has a bin of its own.

    Parameters
    ----------
    values
        Float32 or float64, shape (n,), increasing, n at least 1.
    bins
        Number aimed at, at least 1; missed by up to 30 % either way, or more when many weights
        are equal.
    """
    edges = _equal_error_edges(values, bins)
    means, widths, within = _within_bins(values, edges)
    return Histogram(np.diff(edges), means, widths, within)


def least_error(bins: Histogram, levels: int) -> float:
    """Bound from below the squared error of every codebook, summed over all weights.

    With a codebook C the error of weight x is x^2 + g(x), where g(x) = min over c in C of
    c^2 - 2 c x is concave, and linear but for kinks midway between neighbouring levels. The mean
    of g over a bin is at most g at the bin's mean (Jensen) and falls short of it by at most
    width * gap / 2 for each kink in the bin, the gap being that between the two levels. The gaps
    sum to no more than the range of the weights, hence

        error(C) >= error(C on the bins' means) + within - max(counts * widths) * range / 2,

    and no codebook does better on the bins' means than their optimal one.

    Parameters
    ----------
    bins
        Histogram of the weights; with m times as many bins the slack is about m^2 times smaller.
    levels
        Number of levels of the codebooks, at least 1.
    """
    edges = optimal_partition(bins.means, bins.counts, levels)
    nearest = np.repeat(group_means(bins.means, bins.counts, edges), np.diff(edges))
    on_means = float(np.sum(bins.counts * (bins.means - nearest) ** 2))
    extent = bins.means[-1] + bins.widths[-1] - (bins.means[0] - bins.widths[0])
    return on_means + bins.within - float(np.max(bins.counts * bins.widths) * extent / 2)


class SumsBefore:
    """Sums of the weights before any rank, as offsets from the median; few are kept."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values
        self._centre = float(values[values.size // 2])
        self._sums: Floats = _sums_before_runs(values, self._centre)

    def means(self, edges: Integers) -> Floats:
        """Mean of the weights between neighbouring ranks, float64, shape (edges - 1,)."""
        sums: Floats = _sums_before(self._values, self._centre, self._sums, edges)
        means: Floats = self._centre + np.diff(sums) / np.diff(edges)
        return means


def _settled(values: NDArray[Any], sums: SumsBefore, levels: int) -> Integers:
    """Edges between levels: ranks, int64, from 0 to n."""
    allowed = _equal_error_edges(values, default_bins(levels))
    found = allowed[[0, -1]]
    penalty = np.nan
    for _ in range(_ROUNDS):
        counts = np.diff(allowed)
        means = sums.means(allowed)
        chosen, penalty = partition_and_penalty(means, counts, levels, penalty)
        unmoved = np.array_equal(allowed[chosen], found)
        found = allowed[chosen]
        near = (chosen[1:-1, None] + np.arange(-_NEAR, _NEAR)).ravel()
        near = np.unique(near.clip(0, counts.size - 1))
        starts, stops = allowed[near], allowed[near + 1]
        if unmoved and np.array_equal(values[starts], values[stops - 1]):
            break
        parts = starts[:, None] + (stops - starts)[:, None] * np.arange(_PARTS) // _PARTS
        firsts = np.searchsorted(values, values[parts.ravel()])
        allowed = np.unique(np.concatenate((firsts, stops, found)))
    return found


def _equal_error_edges(values: NDArray[Any], bins: int) -> Integers:
    """Edges of about ``bins`` bins; the error tolerated in each is first sought on a sample."""
    stride = max(1, values.size // (_SAMPLED_A_BIN * bins))
    sample = values[::stride].copy()
    tolerance = float(np.var(sample, dtype=np.float64)) * sample.size / bins**3
    if stride > 1:
        _, tolerance = _about(sample, bins, tolerance)
    return _about(values, bins, stride * tolerance)[0]


def _about(values: NDArray[Any], bins: int, tolerance: float) -> tuple[Integers, float]:
    """Edges of about ``bins`` bins and their tolerance, by the law bins ~ tolerance^(-1/3)."""
    lowest, highest = 0.0, np.inf
    for _ in range(_PASSES):
        edges: Integers = _filled(values, tolerance)
        ratio = (edges.size - 1) / bins
        if 0.7 <= ratio <= 1.3:
            break
        if ratio > 1:
            lowest = tolerance
        else:
            highest = tolerance
        tolerance *= ratio**3
        if not lowest < tolerance < highest:
            tolerance = float(np.sqrt(lowest * highest))
    return edges, tolerance


# Sums may be reordered by the compiler, so that they use vector registers.
@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _sum_of_offsets(values: Any, start: int, stop: int, centre: float) -> float:
    total = 0.0
    for i in range(start, stop):
        total += values[i] - centre
    return total


@numba.njit(cache=True)
def _sums_before_runs(values: Any, centre: float) -> Any:
    """Sums of the offsets from the centre before each run of weights, float64."""
    sums = np.empty(values.size // _RUN + 1)
    sums[0] = 0.0
    for run in range(sums.size - 1):
        sums[run + 1] = sums[run] + _sum_of_offsets(values, run * _RUN, (run + 1) * _RUN, centre)
    return sums


@numba.njit(cache=True)
def _sums_before(values: Any, centre: float, sums_before_runs: Any, ranks: Any) -> Any:
    sums = np.empty(ranks.size)
    for i in range(ranks.size):
        run = ranks[i] // _RUN
        sums[i] = sums_before_runs[run] + _sum_of_offsets(values, run * _RUN, ranks[i], centre)
    return sums


@numba.njit(cache=True)
def _filled(values: Any, tolerance: float) -> Any:
    """Edges of bins, each filled until one value more would exceed the tolerated error."""
    edges = np.empty(values.size + 1, np.int64)
    bins = 0
    edges[0] = 0
    origin, total, squares, held = float(values[0]), 0.0, 0.0, 0
    for i in range(values.size):
        offset = values[i] - origin
        total += offset
        squares += offset * offset
        held += 1
        if squares * held - total * total > tolerance * held and values[i] != values[i - 1]:
            bins += 1
            edges[bins] = i
            origin, total, squares, held = float(values[i]), 0.0, 0.0, 1
    edges[bins + 1] = values.size
    return edges[: bins + 2].copy()


@numba.njit(cache=True)
def _within_bins(values: Any, edges: Any) -> Any:
    means = np.empty(edges.size - 1)
    widths = np.empty(edges.size - 1)
    within = 0.0
    for b in range(edges.size - 1):
        inside = values[edges[b] : edges[b + 1]]
        origin = float(inside[0])
        total = 0.0
        for value in inside:
            total += value - origin
        means[b] = origin + total / inside.size
        widths[b] = inside[-1] - origin
        for value in inside:
            within += (value - means[b]) ** 2
    return means, widths, within
