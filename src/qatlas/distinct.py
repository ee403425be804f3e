"""A tensor as what a memoryless quantizer sees of it: distinct values and their counts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Distinct:
    """Distinct values of a tensor.

    Attributes
    ----------
    values
        Float64, shape (n,), strictly increasing.
    counts
        Int64, shape (n,), how often each value occurs; all positive.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Number of weights."""
        return int(self.counts.sum())

    def central_moment(self, order: int) -> float:
        """Mean of (w - mean w)^order over all weights."""
        # From an origin among the values the mean of a single one is exact.
        offsets = self.values - self.values[0]
        mean = np.average(offsets, weights=self.counts)
        return float(np.average((offsets - mean) ** order, weights=self.counts))


def distinct(tensor: "Tensor") -> Distinct:
    """Distinct values and counts of a floating-point tensor of any shape, exactly.

    A 16-bit tensor holds at most 65,536 values, which are counted by bit pattern in one pass;
    others are sorted.
    """
    flat = tensor.detach().cpu().reshape(-1)
    if flat.element_size() == 2:
        return _by_bit_pattern(flat)
    values, counts = np.unique(flat.numpy(), return_counts=True)
    return Distinct(values.astype(np.float64), counts.astype(np.int64))


def _by_bit_pattern(flat: "Tensor") -> Distinct:
    patterns = flat.view(torch.uint16).numpy()
    counts = np.zeros(1 << 16, np.int64)
    for start in range(0, patterns.size, _CHUNK):
        counts += np.bincount(patterns[start : start + _CHUNK], minlength=1 << 16)
    present = np.flatnonzero(counts).astype(np.uint16)
    values = torch.from_numpy(present).view(flat.dtype).double().numpy()
    # Both zeros have a pattern of their own but are one value.
    values, position = np.unique(values, return_inverse=True)
    merged = np.zeros(values.size, np.int64)
    np.add.at(merged, position, counts[present])
    return Distinct(values, merged)
