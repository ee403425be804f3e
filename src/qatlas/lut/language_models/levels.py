"""Real operands on the levels of a table: a scale a row or for all, and indices of levels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product.accumulators import Codes
from qatlas.lut.product_table import ProductTable

Floats = NDArray[np.float64]

_EVEN = 1e-9
"""Levels are even if no step differs from another by more than this, relatively."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Operands that a table has, and which of them stands for a number.

    Attributes
    ----------
    values
        Rising, on both sides of 0, float64, shape (S,).
    reach
        The level that the largest number of a row or matrix is scaled to.
    """

    values: Floats
    reach: float

    def __post_init__(self) -> None:
        if not self.values[0] < 0 < self.values[-1]:
            raise AtlasError(
                f"levels from {self.values[0]:g} to {self.values[-1]:g}: weights and activations "
                "have both signs; allowed: levels on both sides of 0; take a signed encoding"
            )

    @cached_property
    def step(self) -> float | None:
        """From one level to the next, if they are even."""
        between = np.diff(self.values)
        even = np.ptp(between) <= _EVEN * between.max()
        return float(between.mean()) if even else None

    @property
    def code_type(self) -> np.dtype[np.unsignedinteger]:
        """Of codes: uint8 up to 256 levels, else uint16."""
        return np.min_scalar_type(self.values.size - 1)

    def places(self, numbers: Floats) -> Floats:
        """Where numbers lie among the levels: whole on one, between two in proportion."""
        if self.step is None:
            indices = np.arange(self.values.size, dtype=np.float64)
            between: Floats = np.interp(numbers, self.values, indices)
            return between
        among: Floats = np.clip((numbers - self.values[0]) / self.step, 0, self.values.size - 1)
        return among

    def nearest(self, numbers: Floats) -> Codes:
        """Index of the level with the least distance, of the numbers' shape."""
        if self.step is None:
            middles = (self.values[1:] + self.values[:-1]) / 2
            return np.searchsorted(middles, numbers).astype(self.code_type)
        return np.rint(self.places(numbers)).astype(self.code_type)

    def stochastic(self, numbers: Floats, random: np.random.Generator) -> Codes:
        """Index of one of the two levels around a number, which is then right on average."""
        drawn = self.places(numbers) + random.random(numbers.shape)
        return np.minimum(np.floor(drawn), self.values.size - 1).astype(self.code_type)


Rounding = Callable[[Levels, Floats], Codes]
"""A way from numbers to indices of levels."""


def rounding(method: str, random: np.random.Generator) -> Rounding:
    """Rounding by its name, nearest or stochastic, the second with a generator of its own."""

    def drawn(levels: Levels, numbers: Floats) -> Codes:
        return levels.stochastic(numbers, random)

    return {"nearest": Levels.nearest, "stochastic": drawn}[method]


@dataclass(frozen=True, eq=False)
class OnLevels:
    """A matrix as indices of levels, and what levels have to be multiplied with.

    Attributes
    ----------
    codes
        Shape (rows, columns).
    scales
        Float64, shape (rows,). A row of zeros has scale 0.
    """

    codes: Codes
    scales: Floats


def row_scales(matrix: Floats) -> Floats:
    """Largest absolute value of each row: of each output channel, or of each token."""
    scales: Floats = np.abs(matrix).max(1)
    return scales


def tensor_scales(matrix: Floats) -> Floats:
    """Largest absolute value of the matrix, for every row."""
    return np.full(len(matrix), np.abs(matrix).max())


SCALES: dict[str, Callable[[Floats], Floats]] = {
    "channel": row_scales,
    "token": row_scales,
    "tensor": tensor_scales,
}
"""Largest absolute values, by what shares one."""


def on_levels(
    matrix: Floats, levels: Levels, largest: Callable[[Floats], Floats], round_to: Rounding
) -> OnLevels:
    """A matrix scaled so that its largest absolute values reach as far as they may."""
    scales = largest(matrix) / levels.reach
    scaled = matrix / np.where(scales > 0, scales, 1)[:, None]
    return OnLevels(round_to(levels, scaled), scales)


def levels_of(table: ProductTable) -> Levels:
    """Operands of a table, the largest as far out as the product of two is still within the range.

    Raises
    ------
    AtlasError
        If they are all on one side of 0.
    """
    outermost = min(-table.levels[0], table.levels[-1])
    return Levels(table.levels, float(min(outermost, np.sqrt(table.limit))))
