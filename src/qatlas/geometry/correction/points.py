"""Inputs at which the toy network is looked at."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def grid(extent: float, side: int) -> Floats:
    """Points of a square lattice from -extent to extent, both included, row by row.

    Returns
    -------
    ndarray
        Shape (side * side, 2).
    """
    line = np.linspace(-extent, extent, side)
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def circle(radius: float, number: int) -> Floats:
    """Points of a circle about the origin at equal angles, the first on the x axis, none twice.

    Returns
    -------
    ndarray
        Shape (number, 2).
    """
    angles = 2 * np.pi * np.arange(number) / number
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def in_square(extent: float, number: int, random: np.random.Generator) -> Floats:
    """Independent uniform points of the square from -extent to extent, shape (number, 2)."""
    return random.uniform(-extent, extent, (number, 2))
