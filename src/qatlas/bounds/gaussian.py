"""The closed-form limits: Shannon's bound for a Gaussian, and his lower bound for any density.

Sources: Shannon 1959, "Coding theorems for a discrete source with a fidelity criterion"; Cover &
Thomas, "Elements of Information Theory", 2nd edition, theorem 10.3.2 and exercise 10.8.
Both hold for memoryless sources: on a real tensor a codec that uses structure (channel scales,
blocks) can do better.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError


def rate_bits(normalised_distortion: ArrayLike) -> NDArray[np.float64]:
    """Rate of a Gaussian source, R = 0.5 log2(1 / nMSE), and 0 where nMSE is at least 1.

    Of all memoryless sources with the same variance the Gaussian needs the most bits.

    Parameters
    ----------
    normalised_distortion
        Mean squared error over the source's variance, any shape, not negative.

    Returns
    -------
    NDArray[np.float64]
        Bits per weight, same shape; infinite for no distortion.

    Raises
    ------
    AtlasError
        If a distortion is negative.
    """
    nmse = _not_negative("normalised distortion", normalised_distortion)
    with np.errstate(divide="ignore"):
        return np.maximum(0.0, -0.5 * np.log2(nmse))


def normalised_distortion(rate_bits: ArrayLike) -> NDArray[np.float64]:
    """Least nMSE of a Gaussian source, 2^(-2 R): the inverse of ``rate_bits``.

    Parameters
    ----------
    rate_bits
        Bits per weight, any shape, not negative.

    Returns
    -------
    NDArray[np.float64]
        Mean squared error over the source's variance, same shape.

    Raises
    ------
    AtlasError
        If a rate is negative.
    """
    return np.exp2(-2.0 * _not_negative("rate", rate_bits))


def shannon_lower_bound_bits(entropy_bits: ArrayLike, distortion: ArrayLike) -> NDArray[np.float64]:
    """Shannon's lower bound, R(D) >= h(X) - 0.5 log2(2 pi e D), and at least 0.

    Tight as D goes to 0, and exact for a Gaussian at any D up to its variance.

    Parameters
    ----------
    entropy_bits
        Differential entropy h(X) of the source's density, in bits.
    distortion
        Mean squared error in squared units of X, not negative; broadcast with the entropy.

    Returns
    -------
    NDArray[np.float64]
        Bits per weight; infinite for no distortion.

    Raises
    ------
    AtlasError
        If a distortion is negative.
    """
    error = _not_negative("distortion", distortion)
    with np.errstate(divide="ignore"):
        bound = np.asarray(entropy_bits, np.float64) - 0.5 * np.log2(2 * np.pi * np.e * error)
    return np.maximum(0.0, bound)


def _not_negative(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(value, np.float64)
    if np.any(array < 0):
        raise AtlasError(
            f"{name}: found {array.min()}, allowed: 0 or more; "
            "a mean squared error and a rate cannot be negative"
        )
    return array
