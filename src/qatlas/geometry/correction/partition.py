"""How the first layer of a ReLU network parts its input plane, and where rounding moves that.

A hidden unit is on where w . x + b > 0. The lines of all units cut a square into convex cells; the
lines of the float and of the rounded layer together cut it into cells within which both sign
patterns are constant, so that the changed region is a union of such cells and its area is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FirstLayer:
    """Half-planes in which hidden units are on.

    Attributes
    ----------
    normals
        Shape (units, 2).
    offsets
        Shape (units,).
    """

    normals: Floats
    offsets: Floats

    def __post_init__(self) -> None:
        if self.normals.ndim != 2 or self.normals.shape[1] != 2:
            raise AtlasError(
                f"first layer: found weights of shape {self.normals.shape}; a partition of the "
                "plane takes (units, 2)"
            )
        if self.offsets.shape != self.normals.shape[:1]:
            raise AtlasError(
                f"first layer: found a bias of shape {self.offsets.shape} for "
                f"{len(self.normals)} units"
            )

    def pattern(self, points: Floats) -> NDArray[np.bool_]:
        """Which units are on, shape (points, units), at points of shape (points, 2)."""
        return points @ self.normals.T + self.offsets > 0


@dataclass(frozen=True)
class Cell:
    """A convex part of the plane in which no unit changes.

    Attributes
    ----------
    vertices
        Counter-clockwise, shape (vertices, 2).
    before, after
        Units that are on in the float and in the rounded layer, shape (units,).
    """

    vertices: Floats
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]

    @property
    def changed(self) -> bool:
        """Whether any unit is on in one layer and off in the other."""
        return bool((self.before != self.after).any())

    @property
    def area(self) -> float:
        """Of the polygon."""
        return polygon_area(self.vertices)


def square(extent: float) -> Floats:
    """Corners of the square from -extent to extent, counter-clockwise, shape (4, 2).

    Raises
    ------
    AtlasError
        If the extent is not positive and finite.
    """
    if not 0 < extent < np.inf:
        raise AtlasError(f"extent: found {extent:g}; a square has a positive, finite one")
    return extent * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def polygon_area(vertices: Floats) -> float:
    """Area of a polygon whose vertices run counter-clockwise (shoelace formula); no less than 0."""
    x, y = vertices.T
    return max(0.0, float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))


def cut(vertices: Floats, normal: Floats, offset: float) -> Floats:
    """The part of a convex polygon in which normal . x + offset >= 0.

    Parameters
    ----------
    vertices
        In order, shape (vertices, 2).

    Returns
    -------
    ndarray
        In the same order; of shape (0, 2) where nothing is left. A normal of zero keeps all or
        nothing.

    Notes
    -----
    Sutherland and Hodgman 1974, for one half-plane.
    """
    heights = vertices @ normal + offset
    following = np.roll(np.arange(len(vertices)), -1)
    kept: list[Floats] = []
    for place, after in enumerate(following):
        here, there = heights[place], heights[after]
        if here >= 0:
            kept.append(vertices[place])
        if (here > 0 > there) or (here < 0 < there):
            share = here / (here - there)
            kept.append(vertices[place] + share * (vertices[after] - vertices[place]))
    return np.array(kept).reshape(-1, 2)


def cells(before: FirstLayer, after: FirstLayer, region: Floats) -> list[Cell]:
    """Cells that the lines of two layers cut a convex region into.

    Parameters
    ----------
    before, after
        The float and the rounded layer; as many units each.
    region
        A convex polygon, counter-clockwise, shape (vertices, 2).

    Raises
    ------
    AtlasError
        If the layers have not as many units.
    """
    if len(before.normals) != len(after.normals):
        raise AtlasError(
            f"partition: the layers have {len(before.normals)} and {len(after.normals)} units; "
            "give two that have as many"
        )
    # Equal lines cut off slivers of rounding errors, which are no cells.
    smallest = 1e-12 * polygon_area(region)
    parts = [region]
    for layer in (before, after):
        for normal, offset in zip(layer.normals, layer.offsets, strict=True):
            # A unit without weights is on everywhere or nowhere.
            if not normal.any():
                continue
            halves = [
                half
                for part in parts
                for half in (cut(part, normal, offset), cut(part, -normal, -offset))
            ]
            parts = [half for half in halves if polygon_area(half) > smallest]
    return [_cell(part, before, after) for part in parts]


def changed_area(parts: list[Cell]) -> float:
    """Area in which the sign pattern is not the same."""
    return float(sum(cell.area for cell in parts if cell.changed))


def _cell(vertices: Floats, before: FirstLayer, after: FirstLayer) -> Cell:
    """A cell, its patterns read at the centre of its vertices, which lies inside."""
    centre = vertices.mean(axis=0, keepdims=True)
    return Cell(vertices, before.pattern(centre)[0], after.pattern(centre)[0])
