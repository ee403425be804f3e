"""Vertices and faces of zonotopes in space: every face is spanned by generators of one plane."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.geometry.sets.polygon import corner_signs
from qatlas.geometry.sets.zonotope import PARALLEL, Floats, Zonotope, merged

_IN_PLANE = 1e3 * PARALLEL
"""Sine of the angle to a plane below which a generator lies in it: the plane's normal, a cross
product, is less exact than the generators are."""


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """Corners and faces of a set in space.

    Attributes
    ----------
    vertices
        Shape (n, 3).
    faces
        Indices of the vertices of each face, in order around it. A flat set has one face, a
        segment and a point have none.
    """

    vertices: Floats
    faces: tuple[NDArray[np.intp], ...]


def polyhedron(of: Zonotope) -> Polyhedron:
    """Exact vertices and faces of a zonotope in three dimensions.

    The outward normals of its faces are the cross products of pairs of generators. A face is the
    sum of the generators that are orthogonal to its normal, around the sum of all others, each
    turned to the side of the normal (Ziegler 1995, "Lectures on polytopes", section 7.3).

    Raises
    ------
    AtlasError
        If the set does not lie in three dimensions.
    """
    if of.dimension != 3:
        raise AtlasError(f"polyhedron: found a set of dimension {of.dimension}; it must be 3")
    g = merged(of.generators)
    if flat_dimension(g) == 3:
        faces = [signs for normal in face_normals(g) for signs in _opposite(g, normal)]
    else:
        faces = [_around(g)] if g.shape[1] > 1 else []
        if not faces:
            ends = np.array([[-1.0], [1.0]]) if g.shape[1] else np.zeros((1, 0))
            return Polyhedron(of.centre + ends @ g.T, ())
    # No two corners have the same signs, since no two generators are parallel.
    signs, names = np.unique(np.concatenate(faces), axis=0, return_inverse=True)
    ends_of_faces = np.cumsum([len(face) for face in faces])[:-1]
    return Polyhedron(of.centre + signs @ g.T, tuple(np.split(names, ends_of_faces)))


def face_normals(generators: Floats) -> Floats:
    """Directions of the faces of a zonotope, one of each opposite pair, of unit length.

    Parameters
    ----------
    generators
        Shape (2, p) or (3, p).

    Returns
    -------
    Shape (n, d). A set that is flat has those of the faces that it has within its hull; of a set
    in the plane the normals are orthogonal to generators, in space to pairs of them.

    Raises
    ------
    AtlasError
        In other dimensions.
    """
    g = merged(generators)
    if len(g) == 2:
        candidates = np.stack([-g[1], g[0]])
    elif len(g) == 3:
        one, other = np.triu_indices(g.shape[1], 1)
        candidates = np.cross(g[:, one], g[:, other], axis=0)
    else:
        raise AtlasError(
            f"faces: found a set of dimension {len(g)}; they are known for 2 and 3. Take support"
        )
    # As generators, since then parallel normals become one.
    normals = merged(candidates / np.linalg.norm(candidates, axis=0))
    of_unit_length: Floats = (normals / np.linalg.norm(normals, axis=0)).T
    return of_unit_length


def flat_dimension(generators: Floats) -> int:
    """Dimension of the set itself: 0 for a point, 1 for a segment, 2 for what is flat."""
    lengths = np.linalg.svd(generators, compute_uv=False)
    return int((lengths > PARALLEL * lengths.max(initial=0.0)).sum())


def _opposite(g: Floats, normal: Floats) -> tuple[Floats, Floats]:
    """Signs of the corners of the two faces that a normal is orthogonal to, shape (n, p) each."""
    height = normal @ g
    within = np.abs(height) <= _IN_PLANE * np.linalg.norm(g, axis=0)
    corners = _around(g[:, within])
    signs = np.tile(np.sign(height), (len(corners), 1))
    signs[:, within] = corners
    return signs, -signs


def _around(g: Floats) -> Floats:
    """Signs of the corners of a set whose generators, shape (3, p), span a plane."""
    basis = np.linalg.svd(g, full_matrices=False)[0][:, :2]
    return corner_signs(basis.T @ g)
