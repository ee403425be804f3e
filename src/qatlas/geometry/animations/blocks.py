"""What scenes are built of: a plane with curves, cells and points in it, and bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from manim import (
    DOWN,
    LEFT,
    UP,
    DashedLine,
    Dot,
    Line,
    Polygon,
    Rectangle,
    VGroup,
    VMobject,
)
from numpy.typing import NDArray

from qatlas.geometry.animations.stage import PALE, formula, legend, words
from qatlas.geometry.correction.partition import Cell, FirstLayer, cut, square
from qatlas.geometry.drawing import CHANGED_COLOUR, PATTERN_COLOURS
from qatlas.plotting import FAMILY_COLOURS

Floats = NDArray[np.float64]

LEFT_HALF, RIGHT_HALF = (-3.4, 0.05), (3.4, 0.05)
"""Where the middles of two panels are side by side."""
SIDE = 5.2
"""Of a panel in Manim's units."""
_NOTHING = 1e-12
FLOAT_COLOUR = "#777777"
ALIGNED_COLOUR = FAMILY_COLOURS["entropy_coded"]
"""Of what was corrected: the palette's green."""


@dataclass(frozen=True)
class Panel:
    """A square window on the plane.

    Attributes
    ----------
    middle
        Of the window in Manim's units, shape (2,).
    side
        Of the window in Manim's units.
    centre, reach
        What of the plane it shows: a point of shape (2,), and half the side of the square about it.
    """

    middle: tuple[float, float]
    side: float
    centre: Floats
    reach: float

    @classmethod
    def around(cls, middle: tuple[float, float], side: float, curves: Iterable[Floats]) -> "Panel":
        """The window that shows all points of curves, each of shape (points, 2)."""
        points = np.concatenate(list(curves))
        low, high = points.min(axis=0), points.max(axis=0)
        return cls(middle, side, (low + high) / 2, 0.53 * float((high - low).max()) or 1.0)

    @property
    def scale(self) -> float:
        """Manim's units in a unit of the plane."""
        return self.side / (2 * self.reach)

    def to(self, points: Floats) -> Floats:
        """Places of points of shape (points, 2) in Manim's space, shape (points, 3)."""
        flat = np.asarray(self.middle) + self.scale * (points - self.centre)
        return np.hstack([flat, np.zeros((len(flat), 1))])

    def frame(self, called: str) -> VGroup:
        """Its border, and above it a formula that names the plane."""
        border = Rectangle(width=self.side, height=self.side, stroke_width=1, stroke_color=PALE)
        border.move_to([*self.middle, 0])
        return VGroup(border, formula(called, 30).next_to(border, UP, buff=0.12))

    def key(self, entries: dict[str, str]) -> VGroup:
        """What its colours stand for, below it."""
        x, y = self.middle
        return legend(entries).move_to([x, y - self.side / 2 - 0.3, 0])

    def curve(self, points: Floats, colour: str, width: float) -> VMobject:
        """A line through points of shape (points, 2)."""
        line = VMobject(stroke_color=colour, stroke_width=width)
        return line.set_points_as_corners(self.to(points))

    def curves(self, members: Sequence[Floats], colour: str) -> VGroup:
        """Lines of a grid, thin, and the last curve, a circle, thick."""
        *lines, around = members
        thin = [self.curve(line, colour, 1.3) for line in lines]
        return VGroup(*thin, self.curve(around, colour, 4.5))

    def cells(self, parts: Iterable[Cell], colours: dict[tuple[bool, ...], str]) -> VGroup:
        """Cells in the colours of their patterns in the float network."""
        return VGroup(
            *(self.cell(part, colours[tuple(map(bool, part.before))], 1.0) for part in parts)
        )

    def changed(self, parts: Iterable[Cell]) -> VGroup:
        """Cells in which the pattern is not the same."""
        return VGroup(*(self.cell(part, CHANGED_COLOUR, 0.85) for part in parts if part.changed))

    def cell(self, part: Cell, colour: str, opacity: float) -> Polygon:
        """One cell, filled."""
        corners = self.to(part.vertices)
        return Polygon(*corners, fill_color=colour, fill_opacity=opacity, stroke_width=0)

    def boundaries(self, layer: FirstLayer, colour: str, dashed: bool = False) -> VGroup:
        """Where its units turn on, as far as the window shows."""
        window = self.centre + square(self.reach)
        ends = [
            on_line(cut(window, normal, offset), normal, offset)
            for normal, offset in zip(layer.normals, layer.offsets, strict=True)
        ]
        kind = DashedLine if dashed else Line
        lines = [kind(*self.to(pair), color=colour, stroke_width=3) for pair in ends if len(pair)]
        return VGroup(*lines)

    def dots(self, points: Floats, radii: Iterable[float], colours: Iterable[str]) -> VGroup:
        """Points of shape (points, 2), their radii in Manim's units."""
        return VGroup(
            *(
                Dot(place, radius=radius, color=colour, fill_opacity=0.9)
                for place, radius, colour in zip(self.to(points), radii, colours, strict=True)
            )
        )

    def segments(self, starts: Floats, ends: Floats, colour: str) -> VGroup:
        """Lines between points, both of shape (points, 2)."""
        pairs = zip(self.to(starts), self.to(ends), strict=True)
        return VGroup(*(Line(a, b, color=colour, stroke_width=2.5) for a, b in pairs))


def on_line(corners: Floats, normal: Floats, offset: float) -> Floats:
    """Those of the corners of a cut polygon that lie on the cut, shape (2, 2) or (0, 2)."""
    heights = np.abs(corners @ normal + offset)
    found = corners[heights < 1e-9 * (1 + np.abs(corners).max(initial=0))]
    return found if len(found) == 2 else np.zeros((0, 2))


def pattern_colours(units: int) -> dict[tuple[bool, ...], str]:
    """A pale colour for each sign pattern of two units, from all on to all off."""
    patterns = [
        tuple(bool(number >> (units - 1 - unit) & 1) for unit in range(units))
        for number in reversed(range(2**units))
    ]
    return dict(zip(patterns, PATTERN_COLOURS, strict=True))


def bars(
    values: dict[str, float], colours: Sequence[str], height: float, form: str = ".3f"
) -> VGroup:
    """Upright bars and the ground below; each bar has its value above and its name beneath.

    The highest is so high in Manim's units; they stand as far apart as the widest name asks.
    """
    top = max(values.values())
    names = [lettered(name) for name in values]
    apart = max(1.3, 0.35 + max(name.width for name in names))
    members = VGroup()
    for place, (value, name, colour) in enumerate(
        zip(values.values(), names, colours, strict=True)
    ):
        foot = np.array([apart * place, 0.0, 0.0])
        # Manim does not take a bar without height.
        tall = max(height * value / top, 0.01) if top > _NOTHING else 0.01
        bar = Rectangle(
            width=0.8, height=tall, fill_color=colour, fill_opacity=1, stroke_width=0
        ).move_to(foot, aligned_edge=DOWN)
        above = words(format(value, form), 18).next_to(bar, UP, buff=0.1)
        members.add(VGroup(bar, above, name.next_to(foot, DOWN, buff=0.15)))
    end = apart * (len(values) - 1) + 0.6
    return VGroup(members, Line([-0.6, 0, 0], [end, 0, 0], color=PALE, stroke_width=2))


def lettered(name: str) -> VGroup:
    """A name of one or more lines, each in the middle."""
    return VGroup(*(words(line, 16) for line in name.split("\n"))).arrange(DOWN, buff=0.08)


def dot_radii(errors: Floats) -> Floats:
    """Radii in Manim's units that grow with the length of errors, shape (points, 2)."""
    lengths = np.hypot(*errors.T)
    radii: Floats = 0.012 + 0.07 * lengths / max(lengths.max(initial=0), np.finfo(float).tiny)
    return radii


def stacked(lines: Sequence[VMobject], buff: float = 0.25) -> VGroup:
    """Things beneath one another, flush left."""
    return VGroup(*lines).arrange(DOWN, aligned_edge=LEFT, buff=buff)
