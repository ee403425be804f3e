"""Vertices of plane zonotopes: generators in order of angle, added one after the other."""

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.sets.zonotope import Floats, merged


def by_angle(generators: Floats) -> Floats:
    """Generators, shape (..., 2, p), turned into the upper half plane and sorted by angle."""
    turned, order = _turns(generators)
    found: Floats = np.take_along_axis(generators * turned[..., None, :], order[..., None, :], -1)
    return found


def _turns(generators: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Sign that turns each generator into the upper half plane, and their order by angle then."""
    x, y = generators[..., 0, :], generators[..., 1, :]
    turned = np.where((y < 0) | ((y == 0) & (x < 0)), -1.0, 1.0)
    # Rises with the angle as arctan2 does and takes a tenth of the time.
    size = np.abs(x) + np.abs(y)
    slope = np.divide(-x * turned, size, out=np.zeros_like(size), where=size > 0)
    return turned, np.argsort(slope, axis=-1, kind="stable")


def corner_signs(generators: Floats) -> Floats:
    """Which combination of generators makes each corner of a plane zonotope, counter-clockwise.

    Parameters
    ----------
    generators
        Shape (2, p).

    Returns
    -------
    Shape (2 p, p), 1 and -1: corner i is their sum with the signs of row i.
    """
    turned, order = _turns(generators)
    p = generators.shape[1]
    rising = np.empty((p, p))
    rising[:, order] = np.where(np.tri(p, dtype=bool), 1.0, -1.0)
    return np.concatenate([rising, -rising]) * turned


def outlines(generators: Floats) -> Floats:
    """Corners of plane zonotopes around the origin, counter-clockwise.

    Parallel generators leave points on edges among them; ``polygon`` has true vertices only.

    Parameters
    ----------
    generators
        Shape (..., 2, p).

    Returns
    -------
    Shape (..., 2 p, 2).
    """
    g = by_angle(generators)
    # From the lowest point, where all generators count negatively, each is turned over in turn.
    rising = 2 * np.cumsum(g, axis=-1) - g.sum(axis=-1, keepdims=True)
    return np.swapaxes(np.concatenate([rising, -rising], axis=-1), -1, -2)


def polygon(generators: Floats) -> Floats:
    """Vertices of a plane zonotope around the origin, counter-clockwise.

    Parameters
    ----------
    generators
        Shape (2, p).

    Returns
    -------
    Shape (n, 2): n is 2 for a segment and 1 for the point that is left without generators.
    """
    g = merged(generators)
    return outlines(g) if g.shape[1] else np.zeros((1, 2))


def largest_norms(generators: Floats) -> Floats:
    """Distance from the origin of the farthest corner of plane zonotopes around it.

    Parameters
    ----------
    generators
        Shape (..., 2, p).

    Returns
    -------
    Shape (...), 0 where there is no generator.
    """
    g = by_angle(generators)
    # Half of the corners; the others lie opposite.
    rising = 2 * np.cumsum(g, axis=-1) - g.sum(axis=-1, keepdims=True)
    x, y = rising[..., 0, :], rising[..., 1, :]
    farthest: Floats = np.sqrt((x * x + y * y).max(axis=-1, initial=0.0))
    return farthest
