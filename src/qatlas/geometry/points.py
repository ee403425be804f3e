"""Inputs in the plane: circles, square lattices and random points."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import cosdg, sindg

Floats = NDArray[np.float64]


def circle(radius: float, number: int) -> Floats:
    """At equal angles about the origin, the first on the x axis, none twice, shape (number, 2)."""
    return radius * directions(360 * np.arange(number) / number)


def grid(extent: float, side: int) -> Floats:
    """A square lattice from -extent to extent, both included, row by row, shape (side^2, 2)."""
    line = np.linspace(-extent, extent, side)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def in_square(extent: float, number: int, random: np.random.Generator) -> Floats:
    """Independent uniform points of the square from -extent to extent, shape (number, 2)."""
    return random.uniform(-extent, extent, (number, 2))


def directions(degrees: Floats) -> Floats:
    """Cosines and sines, exact at multiples of 90 degrees, shape (n, 2)."""
    return np.stack([cosdg(degrees), sindg(degrees)], axis=1)
