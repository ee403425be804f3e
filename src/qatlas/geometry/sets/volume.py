"""Area and volume of zonotopes, exact, and a bound where exactness would take too long."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.geometry.sets.polygon import by_angle
from qatlas.geometry.sets.zonotope import Floats, Zonotope

MOST_DETERMINANTS = 5_000_000
"""Largest number of d-subsets of generators whose determinants are summed, in some seconds."""
_AT_A_TIME = 200_000


def areas(generators: Floats) -> Floats:
    """Areas of plane zonotopes: 4 sum over pairs of |det(g_i, g_j)|.

    The pairs are not formed: behind the sum of all generators before it in order of angle, each
    generator's determinants have one sign.

    Parameters
    ----------
    generators
        Shape (..., 2, p).

    Returns
    -------
    Shape (...).
    """
    g = by_angle(generators)
    before = np.cumsum(g, axis=-1) - g
    found = before[..., 0, :] * g[..., 1, :] - before[..., 1, :] * g[..., 0, :]
    total: Floats = 4 * np.abs(found).sum(axis=-1)
    return total


def volume(of: Zonotope) -> float:
    """Volume 2^d sum over d-subsets S of |det G_S| (McMullen 1984, "Volumes of projections").

    It is an area for d = 2 and 0 for a set that is flat.

    Raises
    ------
    AtlasError
        If there are more than ``MOST_DETERMINANTS`` subsets.
    """
    d, p = of.generators.shape
    if d == 2:
        return float(areas(of.generators))
    subsets = comb(p, d)
    if subsets > MOST_DETERMINANTS:
        raise AtlasError(
            f"volume: {p} generators in {d} dimensions have {subsets:,} determinants; allowed are "
            f"{MOST_DETERMINANTS:,}. Take volume_lower_bound, which is a lower bound"
        )
    # Transposed, which changes no determinant.
    parts = [np.abs(_determinants(of.generators.T[chosen])).sum() for chosen in _subsets(p, d)]
    return float(2.0**d * sum(parts))


def volume_lower_bound(of: Zonotope) -> float:
    """2^d sqrt(det G G^T), which is at most the volume, for any number of generators.

    By Cauchy and Binet det G G^T is the sum of the squares of what the volume sums the absolute
    values of.
    """
    d = of.dimension
    lengths = np.linalg.svd(of.generators, compute_uv=False)
    # Fewer singular values than dimensions: the set is flat.
    return 2.0**d * float(np.prod(lengths)) if len(lengths) == d else 0.0


def mixed_area(one: Zonotope, other: Zonotope) -> float:
    """Mixed area V of two plane sets: area(A + B) = area(A) + 2 V + area(B).

    Raises
    ------
    AtlasError
        If a set does not lie in the plane.
    """
    if (one.dimension, other.dimension) != (2, 2):
        raise AtlasError(
            f"mixed area: found dimensions {one.dimension} and {other.dimension}; both must be 2"
        )
    a, b = one.generators, other.generators
    return float(2 * np.abs(np.outer(a[0], b[1]) - np.outer(a[1], b[0])).sum())


def _subsets(p: int, d: int) -> Iterable[NDArray[np.intp]]:
    """All d-subsets of p generators, shape (n, d), so many at a time as memory allows."""
    return _few_subsets(p, d) if comb(p, d) <= _AT_A_TIME else _many_subsets(p, d)


@lru_cache(maxsize=32)
def _few_subsets(p: int, d: int) -> tuple[NDArray[np.intp], ...]:
    return tuple(_many_subsets(p, d))


def _many_subsets(p: int, d: int) -> Iterator[NDArray[np.intp]]:
    chosen = combinations(range(p), d)
    while batch := list(islice(chosen, _AT_A_TIME)):
        yield np.array(batch, np.intp)


def _determinants(matrices: Floats) -> Floats:
    """Of matrices, shape (n, d, d), so shape (n,); three dimensions need no factorization."""
    if matrices.shape[-1] != 3:
        found: Floats = np.linalg.det(matrices)
        return found
    a, b, c = matrices.transpose(1, 2, 0)
    triple: Floats = (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    return triple
