"""How far an error can go in a direction, beside how far it usually goes.

A zonotope G [-1, 1]^p reaches sum_j |u . g_j| in the direction u; with uniform coefficients its
deviation there is sqrt(sum_j (u . g_j)^2 / 3).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Extent:
    """Of an error in some directions.

    Attributes
    ----------
    worst
        Support function, shape (directions,).
    rms
        Deviation, shape (directions,).
    """

    worst: Floats
    rms: Floats

    @property
    def ratio(self) -> Floats:
        """Worst over RMS; NaN where nothing moves."""
        found = np.full_like(self.worst, np.nan)
        np.divide(self.worst, self.rms, out=found, where=self.rms > 0)
        return found


def random_directions(number: int, dimension: int, random: np.random.Generator) -> Floats:
    """Unit vectors uniform on the sphere, shape (number, dimension)."""
    found = random.standard_normal((number, dimension))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def extent(generators: Floats, directions: Floats) -> Extent:
    """Of a zonotope about zero.

    Parameters
    ----------
    generators
        G, shape (outputs, generators).
    directions
        Shape (directions, outputs).
    """
    shares = directions @ generators
    rms = np.sqrt((shares**2).sum(axis=1) / 3)
    return Extent(np.abs(shares, out=shares).sum(axis=1), rms)


def input_rounding(weight: Floats, directions: Floats) -> Extent:
    """Of W e, e the error of inputs that are rounded to a grid of step 2 (half a step is 1)."""
    return extent(weight, directions)


def weight_rounding(steps: Floats, given: Floats, directions: Floats) -> Extent:
    """Of E x at some inputs, E_ij uniform within half a step: (outputs x inputs) generators.

    Parameters
    ----------
    steps
        Of each output channel, shape (outputs,).
    given
        x, shape (points, inputs), with which the directions are paired in turn.
    directions
        Shape (directions, outputs).
    """
    paired = given[np.arange(len(directions)) % len(given)]
    reach = directions * steps / 2
    worst = np.abs(reach).sum(axis=1) * np.abs(paired).sum(axis=1)
    rms = np.linalg.norm(reach, axis=1) * np.linalg.norm(paired, axis=1) / np.sqrt(3)
    return Extent(worst, rms)


def dense_law(generators: int) -> float:
    """sqrt(6 p / pi): worst over RMS for p dense Gaussian generators."""
    return float(np.sqrt(6 * generators / np.pi))


def product_law(weights: int) -> float:
    """sqrt(12 p) / pi: the same for p = outputs x inputs products of Gaussian u_i and x_j.

    The mean of |u x| is 2 / pi rather than sqrt(2 / pi), as a rounded weight moves one output only.
    """
    return float(np.sqrt(12 * weights) / np.pi)
