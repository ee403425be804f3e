"""The experiments of the configuration, by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qatlas.config.geometry import Geometry, Plane
from qatlas.geometry.experiments.rounding import (
    RoundedLayers,
    diagonal_twin,
    round_diagonal,
    round_full,
)
from qatlas.geometry.experiments.transport import Transport, transport
from qatlas.geometry.grid import step_of
from qatlas.geometry.sets.zonotope import Floats

TWIN = "diagonal_twin"


@dataclass(frozen=True, eq=False)
class Experiment:
    """Layers at one input.

    Attributes
    ----------
    dimension
        Channels of the layers.
    value
        What the region is around: the input, or the output where it is left there.
    """

    dimension: int
    name: str
    layers: RoundedLayers
    by: Transport
    value: Floats

    def key(self) -> dict[str, object]:
        """Columns that tell it from the others."""
        return {"dimension": self.dimension, "experiment": self.name}


def experiments(settings: Geometry) -> tuple[Experiment, ...]:
    """Those of the plane, then those of space and the twin of their full matrices."""
    step, plane, space = step_of(settings.bits), settings.plane, settings.space
    of_space = round_full(space.full, space.input, step)
    return (
        _made("uniform_diagonal", _uniform(plane.uniform_diagonal, plane.input, step)),
        _made("nonuniform_diagonal", round_diagonal(plane.nonuniform_diagonal, plane.input, step)),
        _made("full", round_full(plane.full, plane.input, step)),
        _made("uniform", _uniform(space.uniform, space.input, step)),
        _made("nonuniform", round_diagonal(space.nonuniform, space.input, step)),
        _made("full", of_space),
        _made(TWIN, diagonal_twin(of_space)),
    )


def at_inputs(plane: Plane, inputs: Floats, step: float) -> RoundedLayers:
    """The plane's full matrices at other inputs, shape (..., 2)."""
    return round_full(plane.full, inputs, step)


def _uniform(factors: Sequence[float], inputs: Sequence[float], step: float) -> RoundedLayers:
    return round_diagonal(np.outer(factors, np.ones(len(inputs))), inputs, step)


def _made(name: str, layers: RoundedLayers) -> Experiment:
    by = transport(layers.weights)
    output = layers.weights[-1] @ layers.entering[-1]
    value = layers.entering[0] if by.space == "input" else output
    return Experiment(len(value), name, layers, by, value)
