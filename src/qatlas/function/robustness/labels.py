"""Places for the values beside points, off lines and off each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CLEARANCE = 1.5
_REACH, _LEVEL_REACH = 69, 21
_AGAINST = 30.0
_SIDEWAYS_COSTS, _SIDEWAYS_REACH = 1.6, 16.0
_PER_COVERED_POINT = 1e3
_WIDTH_OF_A_CHARACTER, _HEIGHT = 0.66, 1.2


@dataclass(frozen=True)
class Label:
    """What is to be placed.

    Attributes
    ----------
    point
        What it belongs to: x and y.
    size
        Width and height.
    above
        Whether it should go above the point or below.
    level
        Whether it should rather go far to a side than far up or down.
    """

    point: tuple[float, float]
    size: tuple[float, float]
    above: bool
    level: bool = False

    @property
    def reach(self) -> tuple[float, float]:
        """How far its centre may be from the point, sideways and upwards."""
        width = self.size[0]
        return (3 * width, _LEVEL_REACH) if self.level else (width + _SIDEWAYS_REACH, _REACH)


def text_size(text: str, points: float) -> tuple[float, float]:
    """Width and height of one line of digits in type of a size, all in points, rather too large."""
    return _WIDTH_OF_A_CHARACTER * points * len(text), _HEIGHT * points


def sampled(ends: Floats) -> Floats:
    """Points not more than one apart on segments, (segments, 2, 2) -> (points, 2)."""
    pieces = [np.linspace(start, end, 2 + int(np.hypot(*(end - start)))) for start, end in ends]
    return np.concatenate([np.empty((0, 2)), *pieces])


def placed(
    labels: Sequence[Label], obstacles: Floats, bounds: Sequence[float]
) -> list[tuple[float, float]]:
    """Centre of every label, near its point, off obstacles where that is possible.

    Labels are placed in the order given and never on each other, unless there is no room at all.

    Parameters
    ----------
    labels
        What is placed.
    obstacles
        Points that labels keep off, shape (points, 2); see ``sampled``.
    bounds
        Left, bottom, right and top of where labels may lie.
    """
    taken = np.empty((0, 4))
    centres = []
    for label in labels:
        centre = _best(label, obstacles, taken, np.array(bounds))
        taken = np.vstack([taken, _boxes(centre[None], label.size)])
        centres.append((float(centre[0]), float(centre[1])))
    return centres


def _best(label: Label, obstacles: Floats, taken: Floats, bounds: Floats) -> Floats:
    furthest_sideways, furthest_up = label.reach
    sideways = np.linspace(-furthest_sideways, furthest_sideways, 31)
    upwards = np.arange(-furthest_up, furthest_up + 1, 1.5)
    dx, dy = (grid.ravel() for grid in np.meshgrid(sideways, upwards))
    centres = np.array(label.point) + np.stack([dx, dy], axis=1)
    boxes = _boxes(centres, label.size)
    inside = ((boxes[:, :2] >= bounds[:2]) & (boxes[:, 2:] <= bounds[2:])).all(axis=1)
    low, high = boxes[:, :2].min(axis=0) - _CLEARANCE, boxes[:, 2:].max(axis=0) + _CLEARANCE
    near = obstacles[((obstacles > low) & (obstacles < high)).all(axis=1)]
    covered = _covered(boxes, near) + 100 * _crossing(boxes, taken) + 10_000 * ~inside
    against = np.where((dy > 0) == label.above, 0, _AGAINST)
    cost = np.hypot(_SIDEWAYS_COSTS * dx, dy) + against + _PER_COVERED_POINT * covered
    return np.asarray(centres[np.argmin(cost)], dtype=float)


def _boxes(centres: Floats, size: tuple[float, float]) -> Floats:
    half = np.array(size) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def _covered(boxes: Floats, obstacles: Floats) -> Floats:
    """How many obstacles lie on each box or too near to it."""
    low, high = boxes[:, None, :2] - _CLEARANCE, boxes[:, None, 2:] + _CLEARANCE
    return np.asarray(((obstacles > low) & (obstacles < high)).all(axis=2).sum(axis=1), dtype=float)


def _crossing(boxes: Floats, taken: Floats) -> Floats:
    """How many of the boxes already taken each box shares a point with."""
    apart = (boxes[:, None, :2] >= taken[None, :, 2:]) | (boxes[:, None, 2:] <= taken[None, :, :2])
    return np.asarray((~apart.any(axis=2)).sum(axis=1), dtype=float)
