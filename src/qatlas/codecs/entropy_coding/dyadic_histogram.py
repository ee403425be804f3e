"""A histogram that is cheap to store: cells of 2^k integers, wide where little is lost by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.entropy_coding.bit_strings import BitReader, gamma

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

SYMBOL_BITS = 61
"""Symbols have a magnitude below 2 to this power."""


@dataclass(frozen=True)
class DyadicHistogram:
    """Cells side by side, each with a stored root of its count; within a cell all are as likely.

    A count c is stored as the nearest integer to its square root, which costs half of log2 c bits
    and loses the same quarter of a bit of code length whatever c is (the Fisher information of a
    multinomial is constant in the roots), so that rare symbols need no escape.

    Attributes
    ----------
    starts
        Int64, shape (cells,), first symbol of each cell, increasing.
    widths
        Int64, shape (cells,), log2 of the number of symbols in each cell.
    roots
        Int64, shape (cells,), 0 for an empty cell.
    """

    starts: Integers
    widths: Integers
    roots: Integers

    def occupied(self) -> "DyadicHistogram":
        """The same without its empty cells."""
        kept = self.roots > 0
        return DyadicHistogram(self.starts[kept], self.widths[kept], self.roots[kept])

    def field_strings(self) -> list[str]:
        """The stored form as strings of "0" and "1": the tree of cells, depth first."""
        size = int((1 << self.widths).sum())
        root_bits = int(self.roots.max()).bit_length()
        first = int(self.starts[0])
        fields = [gamma(2 * first if first >= 0 else -2 * first - 1)]
        fields += [gamma((size - 1).bit_length()), gamma(root_bits)]
        widths, roots = iter(self.widths.tolist()), iter(self.roots.tolist())
        width = next(widths)
        pending = [(size - 1).bit_length()]
        while pending:
            height = pending.pop()
            if height > width:
                fields.append("1")
                pending += [height - 1, height - 1]
            else:
                fields.append("0" * (height > 0) + f"{next(roots):0{root_bits}b}")
                width = next(widths, 0)
        return fields

    @classmethod
    def read(cls, bits: BitReader) -> "DyadicHistogram":
        """Undo ``field_strings``."""
        coded = bits.gamma()
        first = coded // 2 if coded % 2 == 0 else -(coded + 1) // 2
        pending = [bits.gamma()]
        root_bits = bits.gamma()
        widths, roots = [], []
        while pending:
            height = pending.pop()
            if height and bits.take(1):
                pending += [height - 1, height - 1]
            else:
                widths.append(height)
                roots.append(bits.take(root_bits))
        sizes = 1 << np.array(widths, np.int64)
        return cls(first + np.cumsum(sizes) - sizes, np.array(widths), np.array(roots))


def fit(symbols: Integers, counts: Integers) -> DyadicHistogram:
    """Histogram with the least code length, its own included.

    The cells are leaves of a binary tree over the integers from the smallest symbol on. Whether
    a node is cut is decided from the bottom up, which finds the best of all trees (the principle
    of CART's and Chou, Lookabaugh and Gray's pruning, IEEE Trans. Inf. Theory 35 (1989), with
    description length as the cost).

    Parameters
    ----------
    symbols
        Int64, shape (n,), n of 1 or more, strictly increasing, smaller than 2^61 in
        magnitude.
    counts
        Int64, shape (n,), positive.

    Raises
    ------
    ValueError
        If a symbol has a magnitude of 2^61 or more.
    """
    first, last = int(symbols[0]), int(symbols[-1])
    if max(-first, last) >> SYMBOL_BITS:
        raise ValueError(f"symbols have a magnitude below 2^{SYMBOL_BITS}; found {first} to {last}")
    total = int(counts.sum())
    root_bits = round(total**0.5).bit_length()
    positions, cost = symbols - first, root_bits + _code_length(counts, total, 0)
    levels = [(positions, counts, np.ones(counts.size, bool))]
    empty = root_bits
    for height in range(1, (last - first).bit_length() + 1):
        halves, positions = positions, positions >> 1
        starts = np.flatnonzero(np.diff(positions, prepend=-1))
        positions = positions[starts]
        missing = 2 - np.diff(starts, append=halves.size)
        cut = 1 + np.add.reduceat(cost, starts) + missing * empty
        counts = np.add.reduceat(counts, starts)
        whole = 1 + root_bits + _code_length(counts, total, height)
        cost = np.minimum(cut, whole)
        levels.append((positions, counts, whole <= cut))
        empty = 1 + root_bits
    starts, widths, roots = (np.concatenate(parts) for parts in zip(*_cells(levels), strict=True))
    order = np.argsort(starts)
    if order.size == 1:
        # One cell has all the symbols, however many they are.
        roots = np.ones(1, np.int64)
    return DyadicHistogram(first + starts[order], widths[order], roots[order])


def _code_length(counts: Integers, total: int, width: int) -> Floats:
    """Bits that the symbols of cells take, given that the cells store rounded roots."""
    bits: Floats = np.log2(total) + width - 2 * np.log2(_roots(counts))
    return counts * bits


def _roots(counts: Integers) -> Integers:
    return np.rint(np.sqrt(counts)).astype(np.int64)


def _cells(
    levels: list[tuple[Integers, Integers, NDArray[np.bool_]]],
) -> Iterator[tuple[Integers, Integers, Integers]]:
    """Starts, widths and roots of the cells, from the widest to the narrowest."""
    wanted = np.zeros(1, np.int64)
    for height in range(len(levels) - 1, -1, -1):
        positions, counts, whole = levels[height]
        found = np.minimum(np.searchsorted(positions, wanted), positions.size - 1)
        present = positions[found] == wanted
        leaf = ~present | whole[found]
        cells = wanted[leaf]
        roots = np.where(present, _roots(counts[found]), 0)[leaf]
        yield cells << height, np.full(cells.size, height), roots
        inner = wanted[~leaf]
        wanted = np.concatenate([2 * inner, 2 * inner + 1])
