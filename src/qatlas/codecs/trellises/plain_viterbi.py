"""The search for the best path of a bit-shift trellis as the paper has it: plain, and slow."""

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.trellises.bit_shift import BitShiftTrellis

Vector = NDArray[np.float64]
States = NDArray[np.int64]


def best_states(values: Vector, trellis: BitShiftTrellis, overlap: int | None = None) -> States:
    """States along the path of least squared error.

    Parameters
    ----------
    values
        Float64, shape (n,), n at least 1.
    overlap
        L - k bits with which the first state begins and the last one ends, or None.

    Returns
    -------
    ndarray
        Int64, shape (n,).

    Notes
    -----
    Source: QTIP, Tseng et al. 2024 (arXiv 2406.11235), sections 2.3 and 3.2.
    """
    state = np.arange(trellis.values.size)
    highest = np.arange(1 << trellis.bits)[:, None] << trellis.state_bits - trellis.bits
    predecessors = state >> trellis.bits | highest
    errors = np.square(values[:, None] - trellis.values.astype(np.float64))
    costs = errors[0].copy()
    if overlap is not None:
        costs[state >> trellis.bits != overlap] = np.inf
    came_from = np.empty((len(values), state.size), np.int64)
    for step in range(1, len(values)):
        best = costs[predecessors].argmin(0)
        came_from[step] = predecessors[best, state]
        costs = costs[came_from[step]] + errors[step]
    if overlap is not None:
        costs[state % trellis.overlaps != overlap] = np.inf
    path = np.empty(len(values), np.int64)
    path[-1] = costs.argmin()
    for step in range(len(values) - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path


def tail_biting_states(values: Vector, trellis: BitShiftTrellis) -> States:
    """States along a path that ends in the overlap in which it begins: QTIP's algorithm 4."""
    half = len(values) // 2
    rotated = best_states(np.roll(values, -half), trellis)
    overlap = int(rotated[len(values) - half]) >> trellis.bits
    return best_states(values, trellis, overlap)
