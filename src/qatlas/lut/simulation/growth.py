"""How errors grow with the number of steps, with bootstrap intervals over trajectories.

Intervals are percentiles (Efron & Tibshirani 1993, "An introduction to the bootstrap", chapter 13).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.seeds import generator

Floats = NDArray[np.float64]

FIRST_STEP = 8
"""Slopes are fitted from this step on, once there is something to grow."""
_RESAMPLES = 300
_LEVEL = 0.95
_RESOLVED = 4.0
"""A mean is told from zero where it is so many standard errors away from it."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % bootstrap interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


NOTHING = Estimate(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Growth:
    """How the errors of an ensemble grow.

    Attributes
    ----------
    deviation_slope
        Of the standard deviation over trajectories, on logarithmic axes; a random walk has 1/2.
    bias_slope
        Of the mean over trajectories; a bias in every step makes it 1. NaN where the mean is not
        told from zero.
    crossover
        Steps after which the mean is as large as the deviation; NaN where that is not within the
        steps.
    final_deviation
        After the last step.
    """

    deviation_slope: Estimate
    bias_slope: Estimate
    crossover: Estimate
    final_deviation: Estimate


def resamples(seed: int, trajectories: int) -> Floats:
    """How often each trajectory is drawn; first all once, then with replacement.

    Returns
    -------
    Floats
        Shape (1 + resamples, trajectories).
    """
    random = generator(seed, "lut", "bootstrap")
    drawn = random.multinomial(trajectories, np.full(trajectories, 1 / trajectories), _RESAMPLES)
    return np.vstack([np.ones(trajectories), drawn])


def growth(errors: Floats, steps: NDArray[np.int64], counts: Floats) -> Growth:
    """Growth of errors.

    Parameters
    ----------
    errors
        After each of the steps, shape (trajectories, steps).
    steps
        Rising, from 1.
    counts
        From ``resamples``.
    """
    means, deviations = _means_and_deviations(errors, counts)
    fitted = steps >= FIRST_STEP
    biased = abs(means[0, -1]) > _RESOLVED * deviations[0, -1] / np.sqrt(len(errors))
    # Where the mean is within its own noise, its logarithm says nothing.
    clear = abs(means[0]) > _RESOLVED * deviations[0] / np.sqrt(len(errors))
    return Growth(
        deviation_slope=_interval(_slopes(steps[fitted], deviations[:, fitted])),
        bias_slope=_interval(_slopes(steps[clear], abs(means[:, clear])) if biased else _NONE),
        crossover=_interval(_crossings(steps, means, deviations)),
        final_deviation=_interval(deviations[:, -1]),
    )


def deviation_ratio(errors: Floats, others: Floats, counts: Floats) -> Estimate:
    """Deviation of final errors over that of others, of the same trajectories in pairs."""
    (_, above), (_, below) = (_means_and_deviations(e[:, -1:], counts) for e in (errors, others))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _interval((above / below)[:, 0])


_NONE = np.full(1, np.nan)


def _means_and_deviations(errors: Floats, counts: Floats) -> tuple[Floats, Floats]:
    total = errors.shape[0]
    # About the whole mean, so that squares do not cancel.
    middle = errors.mean(axis=0)
    means = counts @ (errors - middle) / total
    squares = counts @ (errors - middle) ** 2 / total
    return means + middle, np.sqrt(np.maximum(squares - means**2, 0))


def _slopes(steps: NDArray[np.int64], sizes: Floats) -> Floats:
    """Least-squares slopes of log sizes, a row each, over log steps; NaN of fewer than three."""
    if steps.size < 3:
        return _NONE
    x = np.log(steps)
    x = x - x.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes: Floats = np.log(sizes) @ x / (x @ x)
    return slopes


def _crossings(steps: NDArray[np.int64], means: Floats, deviations: Floats) -> Floats:
    """Where the mean first reaches the deviation, on logarithmic axes between two steps."""
    with np.errstate(divide="ignore", invalid="ignore"):
        lead = np.log(abs(means) / deviations)
    found = np.full(len(means), np.nan)
    for row, ahead in enumerate(lead):
        after = np.flatnonzero(ahead >= 0)
        # Ahead from the first step on, it was crossed before there was anything to see.
        if after.size and after[0] > 0:
            here = after[0]
            x = np.log(steps[here - 1 : here + 1])
            share = -ahead[here - 1] / (ahead[here] - ahead[here - 1])
            found[row] = np.exp(x[0] + share * (x[1] - x[0]))
    return found


def _interval(values: Floats) -> Estimate:
    """The first value, with percentiles of the others."""
    if not np.isfinite(values[0]):
        return NOTHING
    again = values[1:][np.isfinite(values[1:])]
    if not again.size:
        return Estimate(float(values[0]), np.nan, np.nan)
    low, high = np.quantile(again, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Estimate(float(values[0]), float(low), float(high))
