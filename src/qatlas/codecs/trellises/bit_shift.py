"""The bit-shift trellis, and the search for the path of least squared error.

A state is the last L bits of the path: a step shifts it by k bits, drops the highest and takes k
new ones in. The states that can follow a state, and those it can follow, have L - k bits in common:
the overlap. All that a path can know of its past is the overlap, so that costs and choices are
kept for the 2^(L-k) overlaps rather than for the 2^L states.

Source: QTIP, Tseng et al. 2024 (arXiv 2406.11235), section 3.1; the trellis is that of Mao, Gray &
Linder 2011 (arXiv 1008.2008).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Symbols: TypeAlias = NDArray[np.uint8]
States: TypeAlias = NDArray[np.uint16]

_Forward: TypeAlias = Callable[[Floats, Floats, Floats, Symbols], None]

_RENORMALISE_EVERY = 64
_FAR = np.float32(16)


@dataclass(frozen=True, eq=False)
class BitShiftTrellis:
    """States, the value of each, and the bits that a step takes in.

    Attributes
    ----------
    values
        Float32, shape (2^L,), L at most 16.
    bits
        k, 1 to 4, at most L / 2.
    """

    values: Floats
    bits: int

    @property
    def state_bits(self) -> int:
        """L."""
        return self.values.size.bit_length() - 1

    @property
    def overlaps(self) -> int:
        """Number of overlaps, 2^(L-k)."""
        return self.values.size >> self.bits

    def states(self, rings: Symbols) -> States:
        """State at each place of rings of symbols: the last L bits up to that place.

        Where a ring has fewer bits, they are read around it again.

        Parameters
        ----------
        rings
            Uint8 below 2^k, shape (rings, n): the bits that each step takes in.

        Returns
        -------
        ndarray
            Uint16, same shape.
        """
        states = np.zeros(rings.shape, np.uint32)
        for back in range(-(-self.state_bits // self.bits)):
            states |= np.roll(rings, back, 1).astype(np.uint32) << np.uint32(back * self.bits)
        return (states & np.uint32(self.values.size - 1)).astype(np.uint16)

    def costs_and_choices(self, values: Floats, start: int | None) -> tuple[Floats, Symbols]:
        """The Viterbi algorithm, forward.

        Parameters
        ----------
        values
            Float32, shape (n,).
        start
            Overlap before the first value; None where it is free.

        Returns
        -------
        costs
            Float32, shape (overlaps,): by the overlap after the last value, least squared error
            of a path there, up to a constant; infinite where none leads.
        choices
            Uint8, shape (n, overlaps): by the overlap after each value, the k bits that a path
            drops on from it.
        """
        choices = np.empty((values.size, self.overlaps), np.uint8)
        costs = np.zeros(self.overlaps, np.float32)
        if start is not None:
            costs[:] = np.inf
            costs[start] = 0
        _forward(self.bits)(values, self.values, costs, choices)
        return costs, choices

    def path_back(self, choices: Symbols, overlap: int) -> tuple[Symbols, int]:
        """Symbols along the best path that ends in an overlap, and the overlap before them.

        Parameters
        ----------
        choices
            Uint8, shape (n, overlaps), of ``costs_and_choices`` or its last rows.
        overlap
            After the last value.

        Returns
        -------
        symbols
            Uint8, shape (n,): the k bits that each step takes in.
        before
            Overlap before the first.
        """
        symbols = np.empty(len(choices), np.uint8)
        before = _walk_back(choices, overlap, self.bits, symbols)
        return symbols, int(before)


@cache
def _forward(bits: int) -> _Forward:
    """Forward search for one k, which the compiler must know to unroll the choice."""
    branches = 1 << bits
    # Sixteen equal stores in a row are slow; four times four are not.
    inner = min(branches, 4)
    outer = branches // inner

    # No fused multiply-add: the same path on every processor.
    @numba.njit(cache=True, fastmath={"nnan", "nsz"})
    def forward(values: Floats, table: Floats, costs: Floats, choices: Symbols) -> None:
        overlaps = costs.size
        spread = np.empty(overlaps * outer, np.float32)
        reached = np.empty(overlaps * branches, np.float32)
        for step in range(values.size):
            value = values[step]
            for i in range(overlaps):
                for j in range(outer):
                    spread[outer * i + j] = costs[i]
            for i in range(overlaps * outer):
                for j in range(inner):
                    reached[inner * i + j] = spread[i]
            chosen = choices[step]
            for overlap in range(overlaps):
                error = table[overlap] - value
                least = reached[overlap] + error * error
                dropped = np.int32(0)
                for branch in range(1, branches):
                    error = table[branch * overlaps + overlap] - value
                    cost = reached[branch * overlaps + overlap] + error * error
                    dropped = np.int32(branch) if cost < least else dropped
                    least = cost if cost < least else least
                costs[overlap] = least
                chosen[overlap] = dropped
            if abs(value) > _FAR or step % _RENORMALISE_EVERY == 0:
                costs -= costs.min()

    compiled: _Forward = forward
    return compiled


@numba.njit(cache=True)
def _walk_back(choices: Symbols, overlap: int, bits: int, symbols: Symbols) -> int:
    overlaps = choices.shape[1]
    for step in range(len(choices) - 1, -1, -1):
        state = choices[step, overlap] * overlaps + overlap
        symbols[step] = overlap & ((1 << bits) - 1)
        overlap = state >> bits
    return overlap
