"""A zonotope, and the operations that are exact on its generators."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError

Floats = NDArray[np.float64]

PARALLEL = 1e-12
"""Sine of the angle below which two directions are one, and length, relative to the longest
generator, below which a generator is none."""


@dataclass(frozen=True, eq=False)
class Zonotope:
    """The set c + G [-1, 1]^p (McMullen 1971, "On zonotopes").

    A set without generators is the point c; generators of length zero change nothing.

    Attributes
    ----------
    centre
        c, shape (d,), float64.
    generators
        G, shape (d, p), float64.

    Raises
    ------
    AtlasError
        If the shapes do not go together, or a number is not finite.
    """

    centre: Floats
    generators: Floats

    def __post_init__(self) -> None:
        centre, generators = (np.asarray(a, np.float64) for a in (self.centre, self.generators))
        if centre.ndim != 1 or generators.ndim != 2 or len(centre) != len(generators):
            raise AtlasError(
                f"zonotope: the centre has shape {centre.shape} and the generators "
                f"{generators.shape}; allowed are (d,) and (d, p)"
            )
        if not (np.isfinite(centre).all() and np.isfinite(generators).all()):
            raise AtlasError("zonotope: its centre or a generator is not finite")
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "generators", generators)

    @property
    def dimension(self) -> int:
        """d, of the space and not of the set."""
        return len(self.centre)


def box(half_widths: ArrayLike) -> Zonotope:
    """The box around the origin of these half-widths, shape (d,)."""
    widths = np.asarray(half_widths, np.float64)
    return Zonotope(np.zeros(widths.shape), np.diag(widths))


def minkowski_sum(*sets: Zonotope) -> Zonotope:
    """All sums of a point of each set: centres add, generators stand side by side.

    Raises
    ------
    AtlasError
        If there is no set, or they lie in spaces of different dimension.
    """
    dimensions = sorted({part.dimension for part in sets})
    if len(dimensions) != 1:
        raise AtlasError(
            f"Minkowski sum: found sets of dimensions {dimensions}; give at least one, all of one "
            "dimension"
        )
    return Zonotope(
        np.sum([part.centre for part in sets], axis=0),
        np.hstack([part.generators for part in sets]),
    )


def linear_map(matrix: ArrayLike, of: Zonotope) -> Zonotope:
    """The image under a matrix, shape (e, d)."""
    weights = np.asarray(matrix, np.float64)
    if weights.ndim != 2 or weights.shape[1] != of.dimension:
        raise AtlasError(
            f"linear map: the matrix has shape {weights.shape}; a set of dimension {of.dimension} "
            f"needs one with {of.dimension} columns"
        )
    return Zonotope(weights @ of.centre, weights @ of.generators)


def pull_back(matrix: ArrayLike, of: Zonotope) -> Zonotope:
    """The set whose image under an invertible matrix, shape (d, d), is the given one.

    Raises
    ------
    AtlasError
        If the matrix is not square or is singular: then no bounded set has that property.
    """
    weights = np.asarray(matrix, np.float64)
    if weights.shape != (of.dimension, of.dimension):
        raise AtlasError(
            f"pull-back: the matrix has shape {weights.shape}; allowed is "
            f"{(of.dimension, of.dimension)}"
        )
    if is_singular(weights):
        raise AtlasError(
            f"pull-back: the matrix is singular (rank {np.linalg.matrix_rank(weights)} of "
            f"{of.dimension}), so the set stays in the space of its outputs"
        )
    return linear_map(np.linalg.inv(weights), of)


def is_singular(matrix: ArrayLike) -> NDArray[np.bool_]:
    """Whether square matrices, shape (..., d, d), are singular in double precision."""
    weights = np.asarray(matrix, np.float64)
    stretch = np.linalg.svd(weights, compute_uv=False)
    least = weights.shape[-1] * np.finfo(np.float64).eps * stretch[..., 0]
    return np.asarray(stretch[..., -1] <= least)


def support(of: Zonotope, directions: ArrayLike) -> Floats:
    """Largest inner product of the set with directions, shape (..., d), so shape (...)."""
    u = np.asarray(directions, np.float64)
    found: Floats = u @ of.centre + np.abs(u @ of.generators).sum(axis=-1)
    return found


def interval_hull(of: Zonotope) -> tuple[Floats, Floats]:
    """Lower and upper corner of the smallest box that holds the set, shape (d,) each."""
    half = np.abs(of.generators).sum(axis=1)
    return of.centre - half, of.centre + half


def covariance(of: Zonotope) -> Floats:
    """Of c + G s for independent s, uniform in [-1, 1]: G G^T / 3, shape (d, d)."""
    spread: Floats = of.generators @ of.generators.T / 3
    return spread


def merged(generators: Floats) -> Floats:
    """The same set from fewer generators: none of length zero, no two parallel.

    Parameters
    ----------
    generators
        Shape (d, p).

    Returns
    -------
    Shape (d, q), q <= p, in the order in which the directions first occur; each points to where
    its first component that is not zero is positive.
    """
    lengths = np.linalg.norm(generators, axis=0)
    long = lengths > PARALLEL * lengths.max(initial=0.0)
    left, lengths = generators[:, long], lengths[long]
    kept = []
    while left.shape[1]:
        unit = left[:, 0] / lengths[0]
        along = unit @ left
        # The part across is measured itself: a sine from a cosine would lose half the digits.
        across = np.linalg.norm(left - unit[:, None] * along, axis=0)
        same = across <= PARALLEL * lengths
        total = unit * np.abs(along[same]).sum()
        kept.append(total * np.sign(total[np.abs(total) > PARALLEL * np.abs(total).max()][0]))
        left, lengths = left[:, ~same], lengths[~same]
    return np.stack(kept, axis=1) if kept else np.zeros((len(generators), 0))
