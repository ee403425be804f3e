"""How often quantization turns the sign of a pre-activation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def flipped(exact: Array, quantized: Array) -> NDArray[np.bool_]:
    """Which units are on in one model and off in the other, of the shape of both."""
    turned: NDArray[np.bool_] = (exact > 0) != (quantized > 0)
    return turned


def gaussian_flip_rate(error: float, preactivation: float) -> float:
    """atan(s_e / s_z) / pi: of Gaussian z about zero and an independent Gaussian error.

    Parameters
    ----------
    error, preactivation
        Deviations s_e and s_z, in the same unit.
    """
    return float(np.arctan2(error, preactivation) / np.pi)


def unitwise_flip_rate(exact: Array, errors: Array) -> float:
    """Mean over units of what the law gives for the RMS of each of them.

    Parameters
    ----------
    exact, errors
        Pre-activations and their errors, shape (points, units).
    """
    deviations = (np.sqrt((a.astype(np.float64) ** 2).mean(axis=0)) for a in (errors, exact))
    return float(np.arctan2(*deviations).mean() / np.pi)


def biased_flip_rate(exact: Array, errors: Array) -> float:
    """Mean over units of the Gaussian flip rate when pre-activations are not about zero.

    z has the unit's mean and deviation, the error its RMS about zero; P(flip) is the integral over
    z of the probability that the error reaches beyond it.

    Parameters
    ----------
    exact, errors
        Pre-activations and their errors, shape (points, units).
    """
    from scipy.special import ndtr

    z, e = exact.astype(np.float64), errors.astype(np.float64)
    mean, deviation = z.mean(axis=0), z.std(axis=0)
    error = np.sqrt((e**2).mean(axis=0))
    nodes, weights = np.polynomial.hermite_e.hermegauss(81)
    values = mean + deviation * nodes[:, None]
    reach = np.divide(np.abs(values), error, out=np.full_like(values, np.inf), where=error > 0)
    return float((weights @ ndtr(-reach)).mean() / weights.sum())
