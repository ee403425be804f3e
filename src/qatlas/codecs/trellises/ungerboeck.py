"""Trellises of Ungerboeck's one-dimensional codes, and the search for the cheapest path.

Levels are the integers; level j is in subset j mod 4. A state allows the even or the odd levels
(its superset), and the second bit of j says where the trellis goes from there, so that levels
alone, in order, determine the path.

Source: Ungerboeck, "Channel coding with multilevel/phase signals", IEEE Trans. Inf. Theory 28
(1982), table I, for the codes; Marcellin & Fischer, "Trellis coded quantization of memoryless and
Gauss-Markov sources", IEEE Trans. Commun. 38 (1990), for their use in quantization.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError

Floats: TypeAlias = NDArray[np.float32]
Levels: TypeAlias = NDArray[np.int32]

PARITY_CHECKS = {
    4: (0o5, 0o2),
    8: (0o13, 0o4),
    16: (0o23, 0o4),
    32: (0o45, 0o10),
    64: (0o103, 0o24),
    128: (0o235, 0o126),
    256: (0o515, 0o362),
}
"""Parity-check polynomials h0, h1 by number of states; bit i is the coefficient of D^i."""

_BLOCK = 8192
_LOOKAHEAD = 512
_RENORMALISE_EVERY = 64
_UNREACHED = np.float32(1e30)


@dataclass(frozen=True)
class Trellis:
    """A feedforward encoder with the given parity checks: the state is its last inputs.

    Input u leads from state s to (2 s + u) mod ``states``. The superset that s allows is
    ``superset[s mod states/2]``; the second bit of the level is u xor ``parity[s mod states/2]``
    xor the highest bit of s. Both hold because h1 has neither the lowest nor the highest
    coefficient, and h0 has both.

    Attributes
    ----------
    superset, parity
        Int32, shape (states / 2,), 0 or 1.
    """

    superset: NDArray[np.int32]
    parity: NDArray[np.int32]

    @property
    def states(self) -> int:
        """Number of states."""
        return 2 * self.superset.size


@cache
def trellis(states: int) -> Trellis:
    """Trellis of the code with so many states, one of ``PARITY_CHECKS``."""
    h0, h1 = PARITY_CHECKS[states]
    state = np.arange(states // 2)
    superset, parity = (np.bitwise_count(state & (h >> 1)) & 1 for h in (h1, h0))
    return Trellis(superset.astype(np.int32), parity.astype(np.int32))


def cheapest_path(
    values: Floats,
    contexts: NDArray[np.uint8],
    trellis: Trellis,
    lengths: Floats,
) -> Levels:
    """Levels along the path from state 0 of least sum of squared errors and code lengths.

    The Viterbi algorithm, on blocks of 8192 values and the 512 after them: the best path through
    both is kept as far as the block reaches, and the next block starts in the state where it
    ends. Paths merge within a few dozen steps, so what follows after 512 changes next to nothing,
    while survivors take 2 MB at 256 states however many values there are.

    Parameters
    ----------
    values
        Float32, shape (n,), in units of the step.
    contexts
        Uint8, shape (n,), the row of ``lengths`` that holds for each value.
    lengths
        Float32, shape (contexts, 2 reach + 1): code lengths of levels -reach to reach within
        their superset, in squared steps. Levels beyond are taken to cost all the same.

    Returns
    -------
    ndarray
        Int32, shape (n,).
    """
    levels = np.empty(values.size, np.int32)
    _viterbi(values, contexts, trellis.superset, trellis.parity, lengths, levels)
    return levels


def levels_along_path(
    streams: Sequence[NDArray[Any]], contexts: NDArray[np.uint8], trellis: Trellis
) -> Levels:
    """Levels in order, from state 0 on; undoes ``by_superset``.

    Raises
    ------
    CodecError
        If the path needs other numbers of levels than there are.
    """
    levels = np.empty(contexts.size, np.int32)
    sizes = np.array([stream.size for stream in streams])
    halves = np.concatenate(streams).astype(np.int32)
    stops = np.cumsum(sizes)
    taken = stops - sizes
    # Where a stream is short of levels the walk goes on into the next, which shows at the end.
    if halves.size == levels.size:
        _follow(halves, contexts, trellis.superset, trellis.parity, taken, levels)
    if halves.size != levels.size or not np.array_equal(taken, stops):
        raise CodecError(
            f"the stored levels are not those of a path through a trellis of {trellis.states} "
            "states: the file is damaged or of another codec"
        )
    return levels


def by_superset(levels: Levels, contexts: NDArray[np.uint8], count: int) -> list[NDArray[np.int32]]:
    """Streams to code: levels divided by two, rounded down, of each superset of each context.

    Even before odd, and so for each of ``count`` contexts.
    """
    stream = 2 * contexts + (levels & 1).astype(np.uint8)
    return [levels[stream == i] >> 1 for i in range(2 * count)]


@numba.njit(cache=True)
def _viterbi(
    values: Floats,
    contexts: NDArray[np.uint8],
    superset: NDArray[np.int32],
    parity: NDArray[np.int32],
    lengths: Floats,
    levels: Levels,
) -> None:
    half = superset.size
    window = min(values.size, _BLOCK + _LOOKAHEAD)
    came_from_upper = np.empty((window, 2 * half), np.bool_)
    candidates = np.empty((window, 4), np.int32)
    costs = np.empty(4, np.float32)
    old = np.empty(2 * half, np.float32)
    new = np.empty(2 * half, np.float32)
    start, state = 0, 0
    while start < values.size:
        seen = min(values.size - start, _BLOCK + _LOOKAHEAD)
        kept = seen if start + seen == values.size else _BLOCK
        old[:] = _UNREACHED
        old[state] = 0
        for i in range(seen):
            lengths_here = lengths[contexts[start + i]]
            _best_of_subsets(values[start + i], lengths_here, costs, candidates[i])
            _add_compare_select(old, new, came_from_upper[i], superset, parity, costs)
            old, new = new, old
            if i % _RENORMALISE_EVERY == 0:
                old -= old.min()
        state = int(np.argmin(old))
        resume = state
        for i in range(seen - 1, -1, -1):
            if i == kept - 1:
                resume = state
            last, lower = state & 1, state >> 1
            upper = int(came_from_upper[i, last * half + lower])
            if i < kept:
                second = parity[lower] ^ last ^ upper
                levels[start + i] = candidates[i, superset[lower] + 2 * second]
            state = lower + half * upper
        start += kept
        state = resume


@numba.njit(cache=True)
def _best_of_subsets(value: np.float32, lengths: Floats, costs: Floats, candidates: Levels) -> None:
    """Cheapest level of each subset: the nearest, or one of those beside it."""
    reach = lengths.size // 2
    for subset in range(4):
        nearest = 4 * int(np.rint((value - subset) * np.float32(0.25))) + subset
        if abs(nearest) > reach - 4:
            error = value - np.float32(nearest)
            costs[subset] = error * error
            candidates[subset] = nearest
            continue
        cheapest = np.float32(np.inf)
        for level in (nearest, nearest - 4, nearest + 4):
            error = value - np.float32(level)
            cost = error * error + lengths[level + reach]
            if cost < cheapest:
                cheapest = cost
                candidates[subset] = level
        costs[subset] = cheapest


@numba.njit(cache=True, fastmath={"nnan", "nsz"})
def _add_compare_select(
    old: Floats,
    new: Floats,
    came_from_upper: NDArray[np.bool_],
    superset: NDArray[np.int32],
    parity: NDArray[np.int32],
    costs: Floats,
) -> None:
    """One step of all states, in pairs (m, m + half) that lead to (2 m, 2 m + 1).

    Of a pair the two branches into a state have the same superset and different second bits.
    """
    half = superset.size
    even, odd, even_second, odd_second = costs[0], costs[1], costs[2], costs[3]
    for m in range(half):
        first = odd if superset[m] else even
        second = odd_second if superset[m] else even_second
        straight = second if parity[m] else first
        crossed = first if parity[m] else second
        zero_lower = old[m] + straight
        zero_upper = old[m + half] + crossed
        one_lower = old[m] + crossed
        one_upper = old[m + half] + straight
        new[2 * m] = zero_lower if zero_lower <= zero_upper else zero_upper
        new[2 * m + 1] = one_lower if one_lower <= one_upper else one_upper
        came_from_upper[m] = zero_upper < zero_lower
        came_from_upper[m + half] = one_upper < one_lower


@numba.njit(cache=True)
def _follow(
    halves: Levels,
    contexts: NDArray[np.uint8],
    superset: NDArray[np.int32],
    parity: NDArray[np.int32],
    taken: NDArray[np.int64],
    levels: Levels,
) -> None:
    """Take each level from the stream that the state says; move on ``taken``."""
    half = superset.size
    state = 0
    for i in range(levels.size):
        lower = state & (half - 1)
        stream = 2 * np.int64(contexts[i]) + superset[lower]
        found = halves[min(taken[stream], halves.size - 1)]
        taken[stream] += 1
        levels[i] = 2 * found + superset[lower]
        upper = 1 if state >= half else 0
        state = 2 * lower + ((found & 1) ^ parity[lower] ^ upper)
