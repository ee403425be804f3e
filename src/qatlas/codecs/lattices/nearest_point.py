"""Nearest points of the lattices Z, D4, E8 and the Leech lattice.

Points have integer coordinates: those of E8 are doubled, those of the Leech lattice multiplied by
the square root of 8; vectors are given in the same units.

Source: Conway & Sloane, "Fast quantizing and decoding algorithms for lattice quantizers and
codes", IEEE Trans. Inf. Theory 28 (1982), for D_n and E8; ``leech.py`` for the Leech lattice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.lattices.leech import leech_generator, nearest_in_leech, nearest_in_leech_plain

LatticeName = Literal["z", "d4", "e8", "leech"]

Vectors = NDArray[np.float64]
Points = NDArray[np.int64]

COORDINATE_LIMIT = 2.0**40
"""Largest coordinate of a vector; up to it the arithmetic on coordinates is exact."""


@dataclass(frozen=True)
class PointLattice:
    """A lattice in integer coordinates.

    Attributes
    ----------
    dimension
        Number of coordinates.
    cell
        Volume of a Voronoi cell, the determinant of the lattice.
    generator
        Function to vectors that span the lattice, shape (vectors, dimension).
    plain
        Nearest points in plain numpy.
    compiled
        The same, compiled; writes the points into its second argument.
    """

    dimension: int
    cell: int
    generator: Callable[[], Points]
    plain: Callable[[Vectors], Points]
    compiled: Callable[[Vectors, Points], None]

    def nearest(self, vectors: Vectors) -> Points:
        """Nearest lattice point of each vector.

        Parameters
        ----------
        vectors
            Float64, shape (n, dimension), of coordinates up to ``COORDINATE_LIMIT``.

        Returns
        -------
        NDArray
            Int64, shape (n, dimension).

        Raises
        ------
        ValueError
            If a coordinate is larger, NaN or Inf, or the vectors have another dimension.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise ValueError(
                f"vectors of shape (n, {self.dimension}) are needed; found {vectors.shape}"
            )
        if vectors.size and not float(np.abs(vectors).max()) <= COORDINATE_LIMIT:
            raise ValueError(f"a coordinate is beyond {COORDINATE_LIMIT:g}, NaN or Inf")
        points = np.empty(vectors.shape, np.int64)
        self.compiled(np.ascontiguousarray(vectors, np.float64), points)
        return points


def nearest_in_z_plain(vectors: Vectors) -> Points:
    """Nearest integers."""
    return np.rint(vectors).astype(np.int64)


def nearest_in_checkerboard_plain(vectors: Vectors) -> Points:
    """Nearest points of D_n, the integer vectors of even sum, for any dimension n."""
    rounded = np.rint(vectors)
    off = vectors - rounded
    farthest = np.abs(off).argmax(1)
    rows = np.arange(len(vectors))
    turn = np.where(off[rows, farthest] < 0, -1, 1)
    rounded[rows, farthest] += turn * (rounded.sum(1) % 2)
    return rounded.astype(np.int64)


def nearest_in_e8_plain(vectors: Vectors) -> Points:
    """Nearest points of E8, twice D8 and twice D8 shifted by one, in doubled coordinates."""
    even = 2 * nearest_in_checkerboard_plain(vectors / 2)
    odd = 2 * nearest_in_checkerboard_plain((vectors - 1) / 2) + 1
    nearer = ((vectors - odd) ** 2).sum(1) < ((vectors - even) ** 2).sum(1)
    return np.where(nearer[:, None], odd, even)


@numba.njit(cache=True)
def nearest_in_z(vectors: Any, points: Any) -> None:
    """Compiled ``nearest_in_z_plain``."""
    for n in range(vectors.shape[0]):
        for i in range(vectors.shape[1]):
            points[n, i] = np.int64(np.rint(vectors[n, i]))


@numba.njit(cache=True)
def nearest_in_checkerboard(vectors: Any, points: Any) -> None:
    """Compiled ``nearest_in_checkerboard_plain``."""
    for n in range(vectors.shape[0]):
        _nearest_even_sum(vectors[n], 0.0, 1.0, points[n])


@numba.njit(cache=True)
def nearest_in_e8(vectors: Any, points: Any) -> None:
    """Compiled ``nearest_in_e8_plain``."""
    odd = np.empty(8, np.int64)
    for n in range(vectors.shape[0]):
        even_error = _nearest_even_sum(vectors[n], 0.0, 0.5, points[n])
        odd_error = _nearest_even_sum(vectors[n], 1.0, 0.5, odd)
        nearer = odd_error < even_error
        for i in range(8):
            points[n, i] = 2 * odd[i] + 1 if nearer else 2 * points[n, i]


@numba.njit(cache=True)
def _nearest_even_sum(vector: Any, shift: float, scale: float, point: Any) -> float:
    """Nearest point of D_n to (vector - shift) * scale; returns the squared distance."""
    odd, error, farthest, reach, turn = 0, 0.0, 0, -1.0, 0
    for i in range(vector.size):
        coordinate = (vector[i] - shift) * scale
        rounded = np.rint(coordinate)
        off = abs(coordinate - rounded)
        point[i] = np.int64(rounded)
        odd ^= point[i] & 1
        error += off * off
        if off > reach:
            farthest, reach = i, off
            turn = -1 if coordinate < rounded else 1
    if odd:
        point[farthest] += turn
        error += 1 - 2 * reach
    return error


def _z_generator() -> Points:
    return np.ones((1, 1), np.int64)


def _d4_generator() -> Points:
    return _checkerboard_generator(4)


def _e8_generator() -> Points:
    return np.concatenate([2 * _checkerboard_generator(8), np.ones((1, 8), np.int64)])


def _checkerboard_generator(dimension: int) -> Points:
    unit = np.eye(dimension, dtype=np.int64)
    return np.concatenate([unit[:-1] - unit[1:], 2 * unit[-1:]])


LATTICES: dict[LatticeName, PointLattice] = {
    "z": PointLattice(1, 1, _z_generator, nearest_in_z_plain, nearest_in_z),
    "d4": PointLattice(4, 2, _d4_generator, nearest_in_checkerboard_plain, nearest_in_checkerboard),
    "e8": PointLattice(8, 256, _e8_generator, nearest_in_e8_plain, nearest_in_e8),
    "leech": PointLattice(24, 1 << 36, leech_generator, nearest_in_leech_plain, nearest_in_leech),
}
"""The lattices by name."""
