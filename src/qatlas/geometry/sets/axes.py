"""Principal axes of sets."""

from dataclasses import dataclass

import numpy as np

from qatlas.geometry.sets.zonotope import Floats


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Where something varies, the most first.

    Attributes
    ----------
    deviations
        Standard deviation along each axis, shape (d,), falling.
    directions
        Of unit length, shape (d, d), one a row; the largest component of each is positive.
    """

    deviations: Floats
    directions: Floats


def axes_of_covariance(covariance: Floats) -> PrincipalAxes:
    """Axes of a covariance matrix, shape (d, d)."""
    variances, columns = np.linalg.eigh(covariance)
    directions = columns.T[::-1]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return PrincipalAxes(np.sqrt(variances[::-1].clip(min=0)), directions * signs[:, None])


def axes_of_points(points: Floats) -> PrincipalAxes:
    """Axes of points, shape (n, d), that weigh the same, such as the vertices of a set."""
    around = points - points.mean(axis=0)
    return axes_of_covariance(around.T @ around / len(points))
