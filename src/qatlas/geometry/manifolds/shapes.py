"""Points on curves and of scattered sets in the plane."""

from collections.abc import Callable, Iterator
from math import isqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import cosdg, sindg

from qatlas.config.geometry import (
    Circle,
    Ellipse,
    FigureEight,
    Grid,
    Line,
    Shapes,
    Spiral,
    TwoBlobs,
)
from qatlas.errors import AtlasError, nearest
from qatlas.seeds import generator

Floats = NDArray[np.float64]


def circle(shape: Circle, points: int) -> Floats:
    """Evenly spaced, the first on the x axis and not repeated at the end; shape (points, 2)."""
    return shape.radius * _around(points)


def ellipse(shape: Ellipse, points: int) -> Floats:
    """Evenly spaced in its parameter, the first on the x axis and not repeated."""
    return np.array(shape.half_axes) * _around(points)


def line(shape: Line, points: int) -> Floats:
    """Evenly spaced, with both ends."""
    found: Floats = np.linspace(np.array(shape.start), np.array(shape.end), points)
    return found


def spiral(shape: Spiral, points: int) -> Floats:
    """Evenly spaced in angle and radius, with both ends."""
    degrees = np.linspace(0, 360 * shape.turns, points)
    radii = np.linspace(shape.radii[0], shape.radii[1], points)
    return radii[:, None] * _unit(degrees)


def figure_eight(shape: FigureEight, points: int) -> Floats:
    """Evenly spaced in its parameter, the first at the crossing and not repeated.

    The crossing is the origin, exactly: angles are in degrees, of which the sines of 0 and 180
    are 0.
    """
    cosine, sine = _around(points).T
    return shape.radius * np.stack([sine, sine * cosine], axis=1)


def grid(shape: Grid, points: int) -> Floats:
    """The largest square grid of no more points, row by row."""
    axis = np.linspace(-shape.half_width, shape.half_width, isqrt(points))
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def two_blobs(shape: TwoBlobs, points: int, random: np.random.Generator) -> Floats:
    """Gaussian around each centre, the first taking the odd point."""
    halves = (points - points // 2, points // 2)
    scattered = [
        np.array(centre) + shape.deviation * random.standard_normal((half, 2))
        for centre, half in zip(shape.centres, halves, strict=True)
    ]
    return np.concatenate(scattered)


_CURVES: dict[str, Callable[..., Floats]] = {
    "circle": circle,
    "ellipse": ellipse,
    "line": line,
    "spiral": spiral,
    "figure_eight": figure_eight,
    "grid": grid,
}
_SCATTERED: dict[str, Callable[..., Floats]] = {"two_blobs": two_blobs}


def sample(name: str, shapes: Shapes, points: int, seed: int) -> Floats:
    """Points of the set of that name, shape (n, 2); n is smaller than ``points`` for the grid.

    Raises
    ------
    AtlasError
        If there is no set of that name.
    """
    if name in _CURVES:
        return _CURVES[name](getattr(shapes, name), points)
    if name in _SCATTERED:
        random = generator(seed, "geometry", name, str(points))
        return _SCATTERED[name](getattr(shapes, name), points, random)
    raise AtlasError(
        f"manifold: nothing is called {name!r}; {nearest(name, {**_CURVES, **_SCATTERED})}"
    )


def sample_all(shapes: Shapes, points: int, seed: int) -> Iterator[tuple[str, Floats]]:
    """Name and points of every set, in the order of the configuration's description."""
    for name in type(shapes).model_fields:
        yield name, sample(name, shapes, points, seed)


def square(side: int, half_width: float) -> Floats:
    """Inputs of a heat map, row by row, shape (side * side, 2)."""
    return grid(Grid(half_width=half_width), side * side)


def _around(points: int) -> Floats:
    return _unit(360 * np.arange(points) / points)


def _unit(degrees: Floats) -> Floats:
    """Cosines and sines, exact at multiples of 90 degrees, shape (n, 2)."""
    return np.stack([cosdg(degrees), sindg(degrees)], axis=1)
