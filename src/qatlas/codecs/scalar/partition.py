"""Globally optimal one-dimensional quantization: k-means on a line, solved exactly.

The squared error of a group of consecutive points satisfies the Monge condition, so the least
error is convex in the number of groups. Groups are therefore not counted but charged a penalty
each: the cheapest penalised partition is a shortest path in which every step looks back
monotonically, found in O(n log n) whatever the number of groups, and the penalty is moved until
the path has the number asked for. Where no penalty gives that number (points on a grid, say),
the neighbouring paths of fewer and of more groups are spliced into one that is as good.

Source: Grønlund et al., "Fast exact k-means, k-medians and Bregman divergence clustering in 1D",
arXiv 1701.07204, section 2.4, after Wu, "Optimal quantization by matrix searching", J. Algorithms
12 (1991). The path: Galil & Park, Inf. Process. Lett. 33 (1990). The splice: Aggarwal, Schieber &
Tokuyama, "Finding a minimum-weight k-link path in graphs with the concave Monge property and
applications", Discrete Comput. Geom. 12 (1994).
"""

from itertools import count
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class _Moments(NamedTuple):
    """Sums over the points before each edge, float64, shape (n + 1,), of x^0, x^1 and x^2."""

    mass: Floats
    first: Floats
    second: Floats


class _Path(NamedTuple):
    """A partition that is optimal for some penalty."""

    edges: Integers
    error: float

    @property
    def groups(self) -> int:
        return self.edges.size - 1


def optimal_partition(values: Floats, masses: NDArray[Any], groups: int) -> Integers:
    """Split weighted points into groups of least total squared error about the group means.

    Parameters
    ----------
    values
        Float64, shape (n,), increasing, n at least 1.
    masses
        Real, shape (n,), positive: how often each value occurs.
    groups
        Number of groups asked for, at least 1; when there are fewer points, each is a group.

    Returns
    -------
    NDArray
        Edges, int64, shape (min(groups, n) + 1,), from 0 to n: group j holds the points from
        ``edges[j]`` up to, not including, ``edges[j + 1]``. The error is the least possible up to
        rounding: about 1e-16 of the second moment about the median.

    Raises
    ------
    ValueError
        If there is no point or less than one group.
    """
    return partition_and_penalty(values, masses, groups, np.nan)[0]


def partition_and_penalty(
    values: Floats, masses: NDArray[Any], groups: int, guess: float
) -> tuple[Integers, float]:
    """Give the optimal partition and a penalty for a group at which it is optimal.

    Parameters
    ----------
    values, masses, groups
        As there.
    guess
        The penalty expected, which spares most of the work where it is right: that of nearly the
        same points, say. NaN for none.

    Raises
    ------
    ValueError
        If there is no point or less than one group.
    """
    if groups < 1 or not values.size:
        raise ValueError(f"{values.size} points cannot make {groups} groups")
    each = np.arange(values.size + 1)
    if groups >= values.size:
        return each, 0.0
    whole = each[[0, -1]]
    if groups == 1:
        return whole, np.inf
    moments = _moments(values, masses)
    few = _Path(whole, _error(*moments, whole))
    law = 2 * few.error / groups**3
    return _between(few, _Path(each, 0.0), groups, moments, law if np.isnan(guess) else guess)


def group_means(values: Floats, masses: NDArray[Any], edges: Integers) -> Floats:
    """Mean of each group of a partition, float64, shape (groups,)."""
    centre = values[values.size // 2]
    sums = np.add.reduceat((values - centre) * masses, edges[:-1])
    return np.asarray(centre + sums / np.add.reduceat(masses, edges[:-1]))


def _between(
    few: _Path, many: _Path, groups: int, moments: _Moments, guess: float
) -> tuple[Integers, float]:
    """Close in on a penalty that gives ``groups``, from paths of fewer and of more.

    Guesses by the high-resolution law (error ~ groups^-2, so penalty ~ groups^-3) alternate with
    the chord: the penalty at which both paths cost the same. The chord finds a path between them
    or proves both optimal, so the search ends.
    """
    lowest, highest = 0.0, np.inf
    for turn in count():
        chord = (few.error - many.error) / (many.groups - few.groups)
        penalty = guess if turn % 2 == 0 and lowest < guess < highest else chord
        edges = _cheapest_path(*moments, penalty)
        path = _Path(edges, _error(*moments, edges))
        if path.groups == groups:
            return path.edges, penalty
        if penalty == chord and not few.groups < path.groups < many.groups:
            break
        if path.groups < groups:
            few, highest = max(few, path, key=_groups), penalty
        else:
            many, lowest = min(many, path, key=_groups), penalty
        guess = penalty * (path.groups / groups) ** 3
    return _splice(few.edges, many.edges, groups), penalty


def _groups(path: _Path) -> int:
    return path.groups


def _splice(few: Integers, many: Integers, groups: int) -> Integers:
    """Begin with one path and end with the other, so that ``groups`` groups result.

    The paths change over where a group of ``few`` contains the group of ``many`` that is
    ``shift`` further on. By the Monge condition the two paths spliced there, this one and its
    complement, together cost no more than the two given; so both are optimal where those are.
    """
    shift = many.size - 1 - groups
    change = int(np.argmax(many[shift + 1 : shift + few.size] <= few[1:]))
    return np.concatenate((few[: change + 1], many[change + shift + 1 :]))


def _moments(values: Floats, masses: NDArray[Any]) -> _Moments:
    """Sums outward from the median, in units of a power of two near the range.

    Outward, so that far points on one side do not blur differences near the middle or on the
    other; scaled, so that no square overflows.
    """
    middle = values.size // 2
    offsets = values - values[middle]
    _, exponent = np.frexp(max(-offsets[0], offsets[-1]))
    offsets = np.ldexp(offsets, -exponent)
    weights = masses.astype(np.float64)
    return _Moments(*(_outward(weights * offsets**order, middle) for order in range(3)))


def _outward(terms: Floats, middle: int) -> Floats:
    below = -np.cumsum(terms[:middle][::-1])[::-1]
    return np.concatenate((below, [0.0], np.cumsum(terms[middle:])))


@numba.njit(cache=True)
def _group_error(mass: Floats, first: Floats, second: Floats, start: int, stop: int) -> float:
    total = first[stop] - first[start]
    error = second[stop] - second[start] - total * total / (mass[stop] - mass[start])
    return float(max(error, 0.0))


@numba.njit(cache=True)
def _error(mass: Floats, first: Floats, second: Floats, edges: Integers) -> float:
    error = 0.0
    for group in range(edges.size - 1):
        error += _group_error(mass, first, second, edges[group], edges[group + 1])
    return error


@numba.njit(cache=True)
def _cheapest_path(mass: Floats, first: Floats, second: Floats, penalty: float) -> Integers:
    """Edges of a partition that minimises error + penalty * groups.

    ``starts[i]`` is where the last group before edge i best starts. Candidates for later edges
    wait in a queue: candidate q is the best of them from edge ``leads[q]`` up to where the next
    one leads; by the Monge condition a later candidate, once better, stays better.
    """
    size = mass.size
    cost = np.zeros(size)
    starts = np.zeros(size, np.int64)
    candidates = np.zeros(size, np.int64)
    leads = np.ones(size, np.int64)
    head, tail = 0, 0
    for stop in range(1, size):
        while head < tail and leads[head + 1] <= stop:
            head += 1
        best = candidates[head]
        starts[stop] = best
        cost[stop] = cost[best] + _group_error(mass, first, second, best, stop) + penalty
        lead = stop + 1
        while tail >= head:
            rival = candidates[tail]
            ahead = cost[stop] - cost[rival]
            begins = max(leads[tail], stop + 1)
            if begins < size and ahead + _group_error(
                mass, first, second, stop, begins
            ) <= _group_error(mass, first, second, rival, begins):
                tail -= 1
                continue
            lead, beyond = begins, size
            while beyond - lead > 1:
                middle = (lead + beyond) // 2
                if ahead + _group_error(mass, first, second, stop, middle) <= _group_error(
                    mass, first, second, rival, middle
                ):
                    beyond = middle
                else:
                    lead = middle
            lead = beyond
            break
        if lead < size:
            tail += 1
            candidates[tail] = stop
            leads[tail] = lead
    return _walk_back(starts)


@numba.njit(cache=True)
def _walk_back(starts: Integers) -> Integers:
    groups = 0
    edge = starts.size - 1
    while edge > 0:
        edge = starts[edge]
        groups += 1
    edges = np.empty(groups + 1, np.int64)
    edge = starts.size - 1
    for group in range(groups, -1, -1):
        edges[group] = edge
        edge = starts[edge]
    return edges
