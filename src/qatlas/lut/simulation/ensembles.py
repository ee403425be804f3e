"""An ensemble of trajectories: random numbers and references that all variants share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.simulation.draws import Draws
from qatlas.lut.simulation.references import Chains, chains, dot_operands, saturating_sums
from qatlas.lut.simulation.variants import recorded_steps

Floats = NDArray[np.float64]

EXACT = "float64"
"""The reference that stands for true results."""


@dataclass(frozen=True)
class Ensemble:
    """What all variants of one range share.

    Attributes
    ----------
    draws
        Random numbers.
    limit
        R.
    operations
        chain, dot, or both.
    references
        Names of the reference arithmetic.
    reported
        Numbers of steps after which results are reported, the largest that of the draws.
    """

    draws: Draws
    limit: float
    operations: Sequence[str]
    references: Sequence[str]
    reported: Sequence[int]

    @property
    def steps(self) -> int:
        """Of a trajectory."""
        return int(self.draws.operands.shape[1])

    @cached_property
    def recorded(self) -> NDArray[np.int64]:
        """Steps after which values are recorded."""
        return recorded_steps(self.steps, self.reported)

    @cached_property
    def chains(self) -> dict[str, Chains]:
        """Chained products by reference; float64 is always among them."""
        return {
            name: chains(self.draws, self.limit, name)
            for name in dict.fromkeys((*self.references, EXACT))
        }

    @cached_property
    def operands(self) -> tuple[Floats, Floats]:
        """Operands of dot products."""
        found = dot_operands(self.draws, self.limit)
        return np.ascontiguousarray(found.a), np.ascontiguousarray(found.b)

    @cached_property
    def sums(self) -> dict[str, Floats]:
        """Running sums that saturate, by reference; float64 is always among them."""
        operands = dot_operands(self.draws, self.limit)
        return {
            name: saturating_sums(operands, self.limit, name)
            for name in dict.fromkeys((*self.references, EXACT))
        }
