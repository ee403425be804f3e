"""Whether points lie in a set, and how far out."""

import numpy as np

from qatlas.geometry.sets.polyhedron import face_normals, flat_dimension
from qatlas.geometry.sets.zonotope import Floats, Zonotope, support

_ON = 1e-9
"""Part of the set's size by which a point may miss a flat set that it lies on."""


def gauge(of: Zonotope, points: Floats) -> Floats:
    """By how much the set around its centre must be scaled to reach points.

    Parameters
    ----------
    points
        Shape (..., d).

    Returns
    -------
    Shape (...): at most 1 inside the set, and infinite where a flat set reaches at no scale.

    Raises
    ------
    AtlasError
        If the set does not lie in two or three dimensions.
    """
    apart = points - of.centre
    size = np.linalg.norm(of.generators, axis=0).sum()
    off = apart - apart @ _span(of.generators)
    away = np.linalg.norm(off, axis=-1) > _ON * size
    normals = bounding_normals(of.generators)
    reach = support(Zonotope(np.zeros(of.dimension), of.generators), normals)
    found = (np.abs(apart @ normals.T) / reach).max(axis=-1, initial=0.0)
    result: Floats = np.where(away, np.inf, found)
    return result


def bounding_normals(generators: Floats) -> Floats:
    """Directions of unit length in which a set ends, one of each opposite pair, shape (n, d).

    Of a flat set these lie within what it spans; a point has none.

    Raises
    ------
    AtlasError
        If the generators do not lie in two or three dimensions.
    """
    normals = np.concatenate([face_normals(generators), _within_hull(generators)])
    reach = np.abs(normals @ generators).sum(axis=1)
    found: Floats = normals[reach > _ON * np.linalg.norm(generators, axis=0).sum()]
    return found


def _span(generators: Floats) -> Floats:
    """Projection onto what the generators span, shape (d, d)."""
    rank = flat_dimension(generators)
    basis = np.linalg.svd(generators, full_matrices=False)[0][:, :rank]
    projection: Floats = basis @ basis.T
    return projection


def _within_hull(generators: Floats) -> Floats:
    """Normals of a flat set's ends within what it spans, shape (n, d); none of one that is full."""
    d, rank = len(generators), flat_dimension(generators)
    basis = np.linalg.svd(generators, full_matrices=False)[0][:, :rank]
    if rank == 1:
        return basis.T
    if rank == d or rank == 0:
        return np.zeros((0, d))
    normals: Floats = face_normals(basis.T @ generators) @ basis.T
    return normals
