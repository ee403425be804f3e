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

    z has the unit's mean m and deviation s, the error is about zero and as large as its RMS. An
    error of size t turns z between 0 and t, or between -t and 0, so that P(flip) is the mean over
    t = |e| of (Phi((t - m) / s) - Phi((-t - m) / s)) / 2.

    Parameters
    ----------
    exact, errors
        Pre-activations and their errors, shape (points, units).
    """
    from scipy.special import ndtr

    mean, deviation = exact.mean(axis=0, dtype=np.float64), exact.std(axis=0, dtype=np.float64)
    error = np.sqrt((errors**2).mean(axis=0, dtype=np.float64))
    varies = deviation > 0
    m, e = mean[varies] / deviation[varies], error[varies] / deviation[varies]
    # Gauss-Legendre nodes from 0 to 8 deviations of the error, with its half-normal density.
    nodes, weights = np.polynomial.legendre.leggauss(96)
    sizes = 4 * (nodes + 1)
    density = 4 * weights * np.sqrt(2 / np.pi) * np.exp(-(sizes**2) / 2)
    t = sizes[:, None] * e
    turned = (ndtr(t - m) - ndtr(-t - m)) / 2
    # A unit that never varies is turned only by an error larger than itself.
    constant = ndtr(-np.abs(mean[~varies]) / np.maximum(error[~varies], 1e-300))
    return float(np.concatenate([density @ turned, constant]).mean())
