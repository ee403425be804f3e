"""Regions of errors at inputs on a circle, layer by layer."""

from collections.abc import Iterator
from dataclasses import replace

from qatlas.config.geometry import Geometry, Plane
from qatlas.geometry.experiments.measurements import Row, outline_rows
from qatlas.geometry.experiments.monte_carlo import longest_drawn
from qatlas.geometry.experiments.named import Experiment, at_inputs
from qatlas.geometry.experiments.transport import directions, lengths, rms, transport
from qatlas.geometry.grid import step_of
from qatlas.geometry.manifolds.magnitudes import worst_errors
from qatlas.geometry.manifolds.shapes import circle
from qatlas.geometry.sets.shared_directions import areas_along
from qatlas.seeds import generator


def circle_rows(settings: Geometry, seed: int) -> Iterator[Row]:
    """Rows of the table ``circle``."""
    plane, step = settings.plane, step_of(settings.bits)
    inputs = circle(plane.circle, plane.circle.points)
    layers = at_inputs(plane, inputs, step)
    by = transport(layers.weights)
    for depth in range(1, len(layers.weights) + 1):
        up_to = replace(layers, weights=layers.weights[:depth], entering=layers.entering[:, :depth])
        carried = replace(by, matrices=by.matrices[:depth], singular=by.singular[:depth])
        area = areas_along(directions(carried), lengths(up_to))
        worst, random = worst_errors(up_to, carried), rms(up_to, carried)
        draws = generator(seed, "geometry", "circle", str(depth))
        drawn = longest_drawn(up_to, carried, settings.draws, draws)
        for point, (x, y) in enumerate(inputs):
            yield {
                "point": point,
                "x": x,
                "y": y,
                "layer": depth,
                "area": area[point],
                "worst": worst[point],
                "rms": random[point],
                "drawn": drawn[point],
            }


def circle_outline_rows(plane: Plane, step: float) -> Iterator[Row]:
    """Rows of the table ``outlines`` of the experiment ``circle``."""
    for point, x in enumerate(circle(plane.circle, plane.circle.points)):
        layers = at_inputs(plane, x, step)
        yield from outline_rows(
            Experiment(2, "circle", layers, transport(layers.weights), x), point
        )
