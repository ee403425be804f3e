"""A tensor's distinct values in bins that are fine where the values are dense.

Bins are equal in asinh((w - median) / s) with s the interquartile range over that of N(0, 1):
uniform in the core, logarithmic in the tails, so that a few outliers of hundreds of standard
deviations neither widen the bins of the core nor take many of their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.distinct import Distinct

_GAUSSIAN_INTERQUARTILE_RANGE = 1.3489795003921634


@dataclass(frozen=True)
class Histogram:
    """The bins that are not empty.

    Attributes
    ----------
    centre, scale
        Median of the weights, and their interquartile range over that of N(0, 1); the standard
        deviation if the former is zero.
    counts
        Int64, shape (n,), weights in each bin.
    means
        Float64, shape (n,), mean of the weights in each bin.
    widths
        Float64, shape (n,), in units of the weights.
    """

    centre: float
    scale: float
    counts: NDArray[np.int64]
    means: NDArray[np.float64]
    widths: NDArray[np.float64]


def asinh_histogram(values: Distinct, step: float) -> Histogram:
    """Bin values that are not all equal.

    Parameters
    ----------
    values
        Two or more distinct values.
    step
        Width of a bin at the centre, in units of the scale.
    """
    lower, centre, upper = _quartiles(values)
    scale = (upper - lower) / _GAUSSIAN_INTERQUARTILE_RANGE or values.central_moment(2) ** 0.5
    farthest = max(centre - values.values[0], values.values[-1] - centre)
    half = int(np.ceil(np.arcsinh(farthest / scale) / step)) + 1
    edges = centre + scale * np.sinh(step * (np.arange(-half, half + 2) - 0.5))
    ends = np.searchsorted(values.values, edges[1:])
    starts = np.concatenate([[0], ends[:-1]])
    occupied = ends > starts
    counts = np.add.reduceat(values.counts, starts[occupied])
    sums = np.add.reduceat(values.values * values.counts, starts[occupied])
    return Histogram(centre, scale, counts, sums / counts, np.diff(edges)[occupied])


def _quartiles(values: Distinct) -> tuple[float, float, float]:
    below = np.cumsum(values.counts)
    lower, centre, upper = (
        float(values.values[np.searchsorted(below, share * below[-1])])
        for share in (0.25, 0.5, 0.75)
    )
    return lower, centre, upper
