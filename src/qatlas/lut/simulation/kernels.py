"""Trajectories of an ensemble by look-up, compiled, and parallel over trajectories.

No number is shared between trajectories, so threads change nothing in the results. Functions take
arrays of shape (trajectories, steps), draws for roundings of shape (trajectories, steps, 2), and
record values after the steps ``recorded`` (from 1, rising). Counts are of events up to those steps,
shape (trajectories, recorded, kinds of events).
"""

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.lut.look_up.definition import LookUp, product

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

CHAIN_EVENTS = ("operand_saturations", "product_saturations", "standing_steps")
DOT_EVENTS = ("product_saturations", "sum_saturations")
"""What is counted: operands and products beyond the range, steps that changed nothing."""

LANES = 8
"""Chains that take turns: the next step of one has to wait for its last, not for the others'."""


@numba.njit(cache=True, parallel=True)
def chained_products(
    table: LookUp,
    method: int,
    starts: Floats,
    factors: Floats,
    roundings: Floats,
    recorded: NDArray[np.int64],
) -> tuple[Floats, Counts]:
    """Multiply a value by one factor after the other.

    Returns
    -------
    tuple
        Values, shape (trajectories, recorded), and counts of ``CHAIN_EVENTS``.
    """
    trajectories, steps = factors.shape
    values = np.empty((trajectories, recorded.size))
    counts = np.empty((trajectories, recorded.size, 3), np.int64)
    for block in numba.prange(-(-trajectories // LANES)):
        first = block * LANES
        lanes = min(LANES, trajectories - first)
        now = np.empty(LANES)
        events = np.zeros((LANES, 3), np.int64)
        for lane in range(lanes):
            now[lane] = starts[first + lane]
        place = 0
        for step in range(steps):
            for lane in range(lanes):
                n = first + lane
                factor, before = factors[n, step], now[lane]
                after = product(
                    table, method, before, factor, roundings[n, step, 0], roundings[n, step, 1]
                )
                now[lane] = after
                events[lane, 0] += factor > table.high or before > table.high
                events[lane, 1] += abs(before * factor) > table.limit
                events[lane, 2] += after == before
            if recorded[place] == step + 1:
                for lane in range(lanes):
                    values[first + lane, place] = now[lane]
                    for kind in range(3):
                        counts[first + lane, place, kind] = events[lane, kind]
                place = min(place + 1, recorded.size - 1)
    return values, counts


@numba.njit(cache=True, parallel=True)
def dot_products(
    table: LookUp,
    method: int,
    a: Floats,
    b: Floats,
    roundings: Floats,
    recorded: NDArray[np.int64],
) -> tuple[Floats, Floats, Counts]:
    """Add products up, in a sum that saturates at the range and in one that does not.

    Returns
    -------
    tuple
        Saturating sums; errors of the other sum, whose exact value is summed beside it in float64;
        both of shape (trajectories, recorded); and counts of ``DOT_EVENTS``.
    """
    trajectories, steps = a.shape
    sums = np.empty((trajectories, recorded.size))
    errors = np.empty((trajectories, recorded.size))
    counts = np.empty((trajectories, recorded.size, 2), np.int64)
    limit = table.limit
    for n in numba.prange(trajectories):
        total, error = 0.0, 0.0
        beyond, saturated = 0, 0
        place = 0
        for step in range(steps):
            exact = a[n, step] * b[n, step]
            found = product(
                table, method, a[n, step], b[n, step], roundings[n, step, 0], roundings[n, step, 1]
            )
            error += found - exact
            total += found
            beyond += abs(exact) > limit
            saturated += abs(total) > limit
            total = min(max(total, -limit), limit)
            if recorded[place] == step + 1:
                sums[n, place] = total
                errors[n, place] = error
                counts[n, place, 0] = beyond
                counts[n, place, 1] = saturated
                place = min(place + 1, recorded.size - 1)
    return sums, errors, counts
