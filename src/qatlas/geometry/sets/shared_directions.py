"""Plane zonotopes whose generators share their directions and differ in length.

The order by angle is then one for all, and sizes are products of matrices.
"""

import numpy as np

from qatlas.geometry.sets.polygon import corner_signs
from qatlas.geometry.sets.zonotope import Floats


def areas_along(directions: Floats, lengths: Floats) -> Floats:
    """Areas, as ``areas`` has them of the generators written out.

    Parameters
    ----------
    directions
        Shape (2, p), of any length.
    lengths
        What each is multiplied with, not negative, shape (..., p).

    Returns
    -------
    Shape (...).
    """
    x, y = directions
    pairs = 2 * np.abs(np.outer(x, y) - np.outer(y, x))
    found: Floats = ((lengths @ pairs) * lengths).sum(axis=-1)
    return found


def largest_norms_along(directions: Floats, lengths: Floats) -> Floats:
    """Distance of the farthest corner, as ``largest_norms`` has it; parameters as above."""
    # Half of the corners; the others lie opposite.
    signs = corner_signs(directions)[: directions.shape[1]]
    x, y = (lengths @ (signs * along).T for along in directions)
    farthest: Floats = np.sqrt((x * x + y * y).max(axis=-1, initial=0.0))
    return farthest
