"""Points on curves and of scattered sets in the plane."""

from collections.abc import Callable, Iterator
from math import isqrt

import numpy as np
from numpy.typing import NDArray

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
from qatlas.geometry import points as plane
from qatlas.seeds import generator

Floats = NDArray[np.float64]


def circle(shape: Circle, points: int) -> Floats:
    """Evenly spaced, the first on the x axis and not repeated at the end; shape (points, 2)."""
    return plane.circle(shape.radius, points)


def ellipse(shape: Ellipse, points: int) -> Floats:
    """Evenly spaced in its parameter, the first on the x axis and not repeated."""
    return np.array(shape.half_axes) * plane.circle(1, points)


def line(shape: Line, points: int) -> Floats:
    """Evenly spaced, with both ends."""
    found: Floats = np.linspace(np.array(shape.start), np.array(shape.end), points)
    return found


def spiral(shape: Spiral, points: int) -> Floats:
    """Evenly spaced in angle and radius, with both ends."""
    degrees = np.linspace(0, 360 * shape.turns, points)
    radii = np.linspace(shape.radii[0], shape.radii[1], points)
    return radii[:, None] * plane.directions(degrees)


def figure_eight(shape: FigureEight, points: int) -> Floats:
    """Evenly spaced in its parameter, the first at the crossing and not repeated.

    The crossing is the origin, exactly: angles are in degrees, of which the sines of 0 and 180
    are 0.
    """
    cosine, sine = plane.circle(1, points).T
    return shape.radius * np.stack([sine, sine * cosine], axis=1)


def grid(shape: Grid, points: int) -> Floats:
    """The largest square grid of no more points, row by row."""
    return plane.grid(shape.half_width, isqrt(points))


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
