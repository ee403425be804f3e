"""The random numbers of an ensemble, the same for all variants."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.seeds import generator

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Uniform numbers from [0, 1), a row a trajectory.

    Attributes
    ----------
    starts
        For what a chain begins with, shape (trajectories,).
    operands
        For both operands of every step, shape (trajectories, steps, 2).
    roundings
        For the stochastic rounding of both, shape (trajectories, steps, 2).
    """

    starts: Floats
    operands: Floats
    roundings: Floats


def draw(seed: int, trajectories: int, steps: int) -> Draws:
    """Draw an ensemble; fewer trajectories or steps are the beginning of more.

    Parameters
    ----------
    seed
        The configured one, from which every trajectory derives its own.
    trajectories, steps
        How many.
    """
    starts = np.empty(trajectories)
    operands, roundings = np.empty((2, trajectories, steps, 2))
    for number in range(trajectories):
        name = str(number)
        random = generator(seed, "lut", "operands", name)
        starts[number] = random.random()
        random.random(out=operands[number])
        generator(seed, "lut", "roundings", name).random(out=roundings[number])
    return Draws(starts, operands, roundings)
