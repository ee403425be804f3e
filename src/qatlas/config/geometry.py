"""The chapter geometry."""

from typing import Annotated

from pydantic import Field

from qatlas.config.geometry_animations import Animations
from qatlas.config.geometry_correction import Correction
from qatlas.config.geometry_layers import Layers
from qatlas.config.section import Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Bits = Annotated[int, Field(ge=2, le=24)]
Vector2 = Annotated[tuple[Finite, ...], Field(min_length=2, max_length=2)]
Vector3 = Annotated[tuple[Finite, ...], Field(min_length=3, max_length=3)]
Matrix2 = Annotated[tuple[Vector2, ...], Field(min_length=2, max_length=2)]
Matrix3 = Annotated[tuple[Vector3, ...], Field(min_length=3, max_length=3)]


class Circle(Section):
    """A circle around the origin."""

    radius: Positive = Field(20.0, description="Its radius.")


class CircleOfInputs(Circle):
    """Inputs on a circle, at which the regions of the full matrices are drawn."""

    points: int = Field(32, ge=3, le=100_000, description="Inputs, evenly spaced.")


class Plane(Section):
    """Layers of two channels, one entry a layer in each list."""

    input: Vector2 = Field(description="What enters the first layer.")
    uniform_diagonal: tuple[Finite, ...] = Field(
        min_length=1, description="One factor for both channels."
    )
    nonuniform_diagonal: tuple[Vector2, ...] = Field(
        min_length=1, description="A factor for each channel."
    )
    full: tuple[Matrix2, ...] = Field(
        min_length=1, description="Full matrices, row by row; those of the manifolds too."
    )
    circle: CircleOfInputs = Field(CircleOfInputs(), description="Further inputs of the full ones.")


class Space(Section):
    """Layers of three channels, one entry a layer in each list."""

    input: Vector3 = Field(description="What enters the first layer.")
    uniform: tuple[Finite, ...] = Field(
        min_length=1, description="One factor for all three channels."
    )
    nonuniform: tuple[Vector3, ...] = Field(min_length=1, description="A factor for each channel.")
    full: tuple[Matrix3, ...] = Field(
        min_length=1, description="Full matrices, row by row; their diagonals are the twin's."
    )


class Ellipse(Section):
    """An ellipse around the origin, along the axes."""

    half_axes: Vector2 = Field((25.0, 10.0), description="Half its width and half its height.")


class Line(Section):
    """A segment."""

    start: Vector2 = Field((-25.0, -10.0), description="One end.")
    end: Vector2 = Field((25.0, 10.0), description="The other.")


class Spiral(Section):
    """A spiral whose radius grows evenly with the angle."""

    turns: Positive = Field(2.0, description="Times around the origin.")
    radii: Vector2 = Field((5.0, 25.0), description="Radius at its start and at its end.")


class FigureEight(Section):
    """The lemniscate of Gerono: (r sin t, r sin t cos t)."""

    radius: Positive = Field(15.0, description="r, half its width.")


class TwoBlobs(Section):
    """Points scattered around two centres, half of them around each."""

    centres: Matrix2 = Field(((-15.0, -15.0), (15.0, 15.0)), description="The two centres.")
    deviation: Positive = Field(5.0, description="Standard deviation of each coordinate.")


class Grid(Section):
    """A square grid around the origin, the largest that has no more than the points asked for."""

    half_width: Positive = Field(25.0, description="Largest coordinate.")


class Shapes(Section):
    """Sets of inputs in the plane, each of so many points."""

    circle: Circle = Field(Circle(), description="A closed curve.")
    ellipse: Ellipse = Field(Ellipse(), description="A closed curve.")
    line: Line = Field(Line(), description="With both ends.")
    spiral: Spiral = Field(Spiral(), description="With both ends.")
    figure_eight: FigureEight = Field(FigureEight(), description="A closed curve.")
    two_blobs: TwoBlobs = Field(TwoBlobs(), description="Scattered points.")
    grid: Grid = Field(Grid(), description="A square grid.")


SHAPES: dict[str, type[Section]] = {
    "circle": Circle,
    "ellipse": Ellipse,
    "line": Line,
    "spiral": Spiral,
    "figure_eight": FigureEight,
    "two_blobs": TwoBlobs,
    "grid": Grid,
}
"""Sections that describe sets of inputs, by their keys."""


class HeatMap(Section):
    """A square of inputs, for how large the error is at each."""

    side: int = Field(15, ge=2, le=501, description="Inputs along a side.")
    half_width: Positive = Field(30.0, description="Largest coordinate.")


class Manifolds(Section):
    """Sets of inputs of the plane's full matrices."""

    shapes: Shapes = Field(Shapes(), description="Which sets.")
    points: int = Field(
        48, ge=4, le=10_000, description="Inputs of each whose largest error is measured."
    )
    error_points: int = Field(
        64, ge=4, le=100_000, description="Inputs of each whose actual error is drawn."
    )
    heat_map: HeatMap = Field(HeatMap(), description="Errors over a square.")


class FakeQuantization(Section):
    """Integer inference with one scale a matrix and one for all values of a layer."""

    bits: tuple[Bits, ...] = Field((2, 4, 8), min_length=1, description="Bits of integers.")
    points: int = Field(128, ge=4, le=100_000, description="Inputs of each set.")


class Geometry(Section):
    """The chapter geometry."""

    bits: Bits = Field(
        8, description="Weights of plane and space are rounded to multiples of 2^-(bits - 1)."
    )
    draws: int = Field(
        10_000,
        ge=1,
        le=10**6,
        description="Random weights that are held against each region of errors.",
    )
    plane: Plane = Field(description="Layers of two channels.")
    space: Space = Field(description="Layers of three channels.")
    manifolds: Manifolds = Field(Manifolds(), description="Sets of inputs.")
    fake_quantization: FakeQuantization = Field(
        FakeQuantization(), description="What integers do to the same sets."
    )
    correction: Correction = Field(
        Correction(), description="A ReLU network whose error is corrected."
    )
    animations: Animations = Field(Animations(), description="The same network, as animations.")
    layers: Layers | None = Field(
        None, description="Layers of trained models; without it none are measured."
    )
