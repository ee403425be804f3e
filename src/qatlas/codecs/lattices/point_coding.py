"""Lattice points as independent symbols: what a point's first coordinates leave free in the next.

A lattice has a basis in triangular form. Once the first coordinates of a point are known, the
next is some residue modulo the basis' diagonal entry; only the quotient is a symbol, and the
residue with its modulus is the context that it is coded in. So what the lattice forbids (the
even sum of D4, the cosets of E8, the Golay code in the Leech lattice) is never paid for: the
moduli of a point multiply to the volume of the lattice's cell. That is a power of two for every
lattice here, and so is each modulus.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.lattices.nearest_point import LATTICES, LatticeName

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contexts:
    """The triangular basis of a lattice and the numbers of its contexts.

    Attributes
    ----------
    basis
        Int64, shape (dimension, dimension), upper triangular, its diagonal positive.
    first
        Int64, shape (dimension,), number of a coordinate's context with residue 0; that with
        residue r is r more.
    count
        Number of contexts.
    """

    basis: Integers
    first: Integers
    count: int

    def streams(self, points: Integers) -> tuple[Integers, ...]:
        """Symbols of each context, in the order of the points; shape of points (n, dimension)."""
        symbols, contexts = np.empty(points.shape, np.int64), np.empty(points.shape, np.uint8)
        _quotients(points, self.basis, self._shifts, self.first, symbols, contexts)
        ends = np.cumsum(np.bincount(contexts.reshape(-1), minlength=self.count))
        dealt = np.empty(symbols.size, np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        _deal(symbols.reshape(-1), contexts.reshape(-1), starts, dealt)
        return tuple(np.split(dealt, ends[:-1]))

    def points(self, streams: tuple[Integers, ...], count: int) -> Integers:
        """Undo ``streams`` of so many points; int64, shape (count, dimension)."""
        ends = np.cumsum([stream.size for stream in streams])
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        points = np.empty((count, len(self.basis)), np.int64)
        _recombine(np.concatenate(streams), starts, self.basis, self._shifts, self.first, points)
        return points

    @property
    def _shifts(self) -> Integers:
        """Bits of each modulus less one."""
        return np.bitwise_count(np.diag(self.basis) - 1).astype(np.int64)


@cache
def contexts_of(lattice: LatticeName) -> Contexts:
    """Contexts of a lattice: one for each residue of each modulus in its triangular basis."""
    basis = triangular_basis(LATTICES[lattice].generator())
    moduli = np.diag(basis)
    distinct = np.unique(moduli)
    first = (np.cumsum(distinct) - distinct)[np.searchsorted(distinct, moduli)]
    return Contexts(basis, first, int(distinct.sum()))


def triangular_basis(spanning: Integers) -> Integers:
    """Basis of the lattice that integer vectors span, upper triangular with positive diagonal.

    Parameters
    ----------
    spanning
        Int64, shape (vectors, dimension), of full rank.
    """
    rows, dimension = spanning.copy(), spanning.shape[1]
    basis = np.zeros((dimension, dimension), np.int64)
    for column in range(dimension):
        # Euclid's algorithm on the column leaves its greatest common divisor in one row.
        while np.count_nonzero(rows[:, column]) > 1:
            entries = np.abs(rows[:, column])
            least = np.where(entries == 0, np.iinfo(np.int64).max, entries).argmin()
            quotients = rows[:, column] // rows[least, column]
            quotients[least] = 0
            rows -= quotients[:, None] * rows[least]
            # Keeping the entries to the right small keeps them in 64 bits.
            rows = np.unique(rows, axis=0)
        last = int(np.flatnonzero(rows[:, column])[0])
        basis[column] = rows[last] * np.sign(rows[last, column])
        rows = np.delete(rows, last, 0)
    for column in range(1, dimension):
        quotients = basis[:column, column] // basis[column, column]
        basis[:column] -= quotients[:, None] * basis[column]
    return basis


@numba.njit(cache=True)
def _quotients(
    points: Any, basis: Any, shifts: Any, first: Any, symbols: Any, contexts: Any
) -> None:
    dimension = basis.shape[0]
    rest = np.empty(dimension, np.int64)
    for n in range(points.shape[0]):
        # One by one: what numba makes of the copy of a slice takes two seconds to compile.
        for k in range(dimension):
            rest[k] = points[n, k]
        for k in range(dimension):
            # What earlier basis vectors put here is what the coordinate must be congruent to.
            known = points[n, k] - rest[k]
            multiple = rest[k] >> shifts[k]
            symbols[n, k] = (known >> shifts[k]) + multiple
            contexts[n, k] = first[k] + (known & (basis[k, k] - 1))
            for i in range(k + 1, dimension):
                rest[i] -= multiple * basis[k, i]


@numba.njit(cache=True)
def _deal(symbols: Any, contexts: Any, starts: Any, dealt: Any) -> None:
    """Symbols of one context after those of another, each in their order."""
    place = starts.copy()
    for n in range(symbols.size):
        dealt[place[contexts[n]]] = symbols[n]
        place[contexts[n]] += 1


@numba.njit(cache=True)
def _recombine(symbols: Any, starts: Any, basis: Any, shifts: Any, first: Any, points: Any) -> None:
    dimension = basis.shape[0]
    position = starts.copy()
    known = np.empty(dimension, np.int64)
    for n in range(points.shape[0]):
        known[:] = 0
        for k in range(dimension):
            residue = known[k] & (basis[k, k] - 1)
            context = first[k] + residue
            symbol = symbols[position[context]]
            points[n, k] = (symbol << shifts[k]) + residue
            position[context] += 1
            multiple = symbol - (known[k] >> shifts[k])
            for i in range(k + 1, dimension):
                known[i] += multiple * basis[k, i]
