"""Bounded lattice codebooks with indices of fixed length, and their exact nearest codewords.

A codebook has the 2^k points of a shifted lattice that are nearest the origin. E8P of QuIP# (Tseng
et al. 2024, arXiv 2402.04396) trades some of these for a small decoding table and has one percent
more squared error on N(0, 1).
The shift is the same in all coordinates, so that the codebook is closed under permutations.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from math import gamma, pi
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.lattices.nearest_point import COORDINATE_LIMIT, LATTICES, LatticeName
from qatlas.codecs.lattices.point_coding import contexts_of

Vectors = NDArray[np.float64]
Points = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LatticeCodebook:
    """The points of a shifted lattice nearest the origin, up to 2^index_bits of them.

    Attributes
    ----------
    lattice
        The lattice; its integer coordinates are the unit.
    shift
        Added to every coordinate of a lattice point.
    index_bits
        Bits of an index.
    points
        Int64, shape (2^index_bits or a few less, dimension), the lattice points before the
        shift, in lexicographic order.
    representatives
        Float64, shape (orbits, dimension), one codeword of each orbit under permutations, its
        coordinates nonincreasing.
    lowest, highest
        Smallest and largest coordinate of the points.
    keys
        Int64, shape (points,), one integer a point, increasing: coordinates as digits.
    """

    lattice: LatticeName
    shift: float
    index_bits: int
    points: Points
    representatives: Vectors
    lowest: int
    highest: int
    keys: Points

    @property
    def dimension(self) -> int:
        """Weights that share an index."""
        return LATTICES[self.lattice].dimension

    @property
    def spread(self) -> float:
        """Root mean square of the codewords' coordinates."""
        return float(np.sqrt(np.square(self.points + self.shift).mean()))

    @cached_property
    def shells(self) -> Points:
        """Number of each codeword's distance from the origin, from 0 for the nearest; (points,)."""
        return np.unique(self._squared_norms, return_inverse=True)[1]

    @property
    def _squared_norms(self) -> Vectors:
        return np.asarray(((self.points + self.shift) ** 2).sum(1))

    def words(self, indices: Points) -> Vectors:
        """Codewords of indices of any shape; float64, one axis more."""
        return np.add(self.points[indices], self.shift, dtype=np.float64)

    def nearest(self, vectors: Vectors) -> Points:
        """Index of the nearest codeword of each vector, exactly.

        The nearest lattice point is the answer if it is in the codebook. Otherwise the nearest
        codeword has its coordinates in the order of the vector's, so that one codeword of each
        orbit is compared with the sorted vector.

        Parameters
        ----------
        vectors
            Float64, shape (n, dimension), any finite values.

        Returns
        -------
        NDArray
            Int64, shape (n,).
        """
        bounded = np.clip(vectors - self.shift, -COORDINATE_LIMIT, COORDINATE_LIMIT)
        points = LATTICES[self.lattice].nearest(bounded)
        indices = np.empty(len(vectors), np.int64)
        _index(
            vectors,
            points,
            self.representatives,
            self.shift,
            self.lowest,
            self.highest,
            self.keys,
            indices,
        )
        return indices


@cache
def lattice_codebook(lattice: LatticeName, shift: float, index_bits: int) -> LatticeCodebook:
    """Codebook of the lattice points nearest the origin, as whole orbits under permutations.

    Where the next orbit does not fit, the next one that fits takes its place; if none does, a few
    indices remain unused (14 of 65,536 for E8 + 1/4).
    """
    size = 1 << index_bits
    kind = LATTICES[lattice]
    ball = pi ** (kind.dimension / 2) / gamma(kind.dimension / 2 + 1)
    radius = (size * kind.cell / ball) ** (1 / kind.dimension)
    points = _points_within(lattice, shift, radius)
    while len(points) < size:
        radius *= 1.04
        points = _points_within(lattice, shift, radius)
    points = _points_within(lattice, shift, 1.04 * radius)
    sorted_down = -np.sort(-points, 1)
    norm = ((points + shift) ** 2).sum(1)
    orbits, orbit, counts = np.unique(
        np.concatenate([norm[:, None], sorted_down], 1),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    left, kept = size, []
    for i, count in enumerate(counts.tolist()):
        if count <= left:
            kept.append(i)
            left -= count
    words = np.unique(points[np.isin(orbit.reshape(-1), kept)], axis=0)
    lowest, highest = int(words.min()), int(words.max())
    return LatticeCodebook(
        lattice,
        shift,
        index_bits,
        words,
        representatives=orbits[kept, 1:] + shift,
        lowest=lowest,
        highest=highest,
        keys=_keys(words, lowest, highest),
    )


def _points_within(lattice: LatticeName, shift: float, radius: float) -> Points:
    """Lattice points that are at most so far from the origin when shifted, in any order."""
    basis = contexts_of(lattice).basis
    reach = int(radius + abs(shift)) + 1
    points = np.zeros((1, len(basis)), np.int64)
    for k, step in enumerate(np.diag(basis).tolist()):
        # The k-th basis vector alone still changes this coordinate, and no earlier one.
        lowest = -((points[:, k] + reach) // step)
        multiples = lowest[:, None] + np.arange(2 * reach // step + 1)
        points = (points[:, None, :] + multiples[:, :, None] * basis[k]).reshape(-1, len(basis))
        points = points[((points[:, : k + 1] + shift) ** 2).sum(1) <= radius**2]
    return points


def _keys(points: Points, lowest: int, highest: int) -> Points:
    """Integers in the order of the points: their coordinates as digits."""
    base = highest - lowest + 1
    return np.asarray((points - lowest) @ base ** np.arange(points.shape[1] - 1, -1, -1))


@numba.njit(cache=True)
def _index(
    vectors: Any,
    points: Any,
    representatives: Any,
    shift: float,
    lowest: int,
    highest: int,
    keys: Any,
    indices: Any,
) -> None:
    dimension = vectors.shape[1]
    order = np.empty(dimension, np.int64)
    for n in range(vectors.shape[0]):
        index = _find(points[n], lowest, highest, keys)
        if index < 0:
            vector = vectors[n]
            _sort_down(vector, order)
            least, best = np.inf, 0
            for j in range(representatives.shape[0]):
                error = 0.0
                for i in range(dimension):
                    error += (vector[order[i]] - representatives[j, i]) ** 2
                if error < least:
                    least, best = error, j
            for i in range(dimension):
                points[n, order[i]] = np.int64(np.rint(representatives[best, i] - shift))
            index = _find(points[n], lowest, highest, keys)
        indices[n] = index


@numba.njit(cache=True)
def _find(point: Any, lowest: int, highest: int, keys: Any) -> int:
    key = 0
    for coordinate in point:
        if coordinate < lowest or coordinate > highest:
            return -1
        key = key * (highest - lowest + 1) + coordinate - lowest
    low, high = 0, keys.size
    while high - low > 1:
        middle = (low + high) >> 1
        if keys[middle] <= key:
            low = middle
        else:
            high = middle
    return low if keys[low] == key else -1


@numba.njit(cache=True)
def _sort_down(vector: Any, order: Any) -> None:
    """Write the order of the coordinates from the largest to the smallest."""
    for i in range(vector.size):
        j = i
        while j > 0 and vector[order[j - 1]] < vector[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
