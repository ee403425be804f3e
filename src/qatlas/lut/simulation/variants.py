"""Which tables and methods are simulated, and at which range."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.encodings import encoding_of

_RECORDED = 32
_EVERY_STEP, _STRIDE = 128, 8


@dataclass(frozen=True)
class Variant:
    """A table and how it is looked up in.

    Attributes
    ----------
    encoding
        Of the table.
    size
        S, its levels.
    method
        nearest, stochastic or bilinear.
    limit
        R.
    """

    encoding: str
    size: int
    method: str
    limit: float

    @property
    def bits(self) -> int:
        """Bits of an operand."""
        return (self.size - 1).bit_length()

    def row(self, operation: str) -> dict[str, str | int | float]:
        """Columns that name it in tables."""
        return {
            "operation": operation,
            "table": self.encoding,
            "size": self.size,
            "bits": self.bits,
            "method": self.method,
            "range": self.limit,
        }


def variants(
    encodings: Sequence[str], sizes: Sequence[int], methods: Sequence[str], limit: float
) -> Iterator[Variant]:
    """Every encoding with every size and method; an encoding of one range alone has that one."""
    for encoding, size, method in product(encodings, sizes, methods):
        yield Variant(encoding, size, method, encoding_of(encoding).fixed_range or limit)


def recorded_steps(steps: int, also: Sequence[int] = ()) -> NDArray[np.int64]:
    """Steps at which ensembles are recorded: evenly spaced logarithms, and those asked for."""
    spaced = np.rint(np.geomspace(1, steps, min(_RECORDED, steps))).astype(np.int64)
    return np.unique([*spaced, *(step for step in also if step <= steps), steps])


def example_steps(steps: int) -> NDArray[np.int64]:
    """Steps at which one trajectory is recorded: each of the first, then every eighth."""
    every = np.arange(1, min(steps, _EVERY_STEP) + 1)
    return np.unique([*every, *range(_EVERY_STEP, steps + 1, _STRIDE), steps])
