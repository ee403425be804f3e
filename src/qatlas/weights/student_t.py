"""Student's t fitted to a tensor by maximum likelihood."""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma

from qatlas.distinct import Distinct
from qatlas.weights.histogram import asinh_histogram

NU_SMALLEST = 1.0
NU_LARGEST = 1000.0
_STEP = 1 / 256
_TOLERANCE = 1e-10
_ROUNDS = 500


@dataclass(frozen=True)
class StudentT:
    """Location, scale (both in units of the weights) and degrees of freedom."""

    location: float
    scale: float
    nu: float


def fit_student_t(values: Distinct) -> StudentT | None:
    """Fit location, scale and degrees of freedom by maximum likelihood.

    The likelihood is that of the means of fine bins (1/256 of a robust standard deviation in the
    core). For each nu, location and scale follow from the expectation-maximization of Kent, Tyler
    & Vardi (1994); the root of the likelihood's derivative by nu is sought from ``NU_SMALLEST``
    (Cauchy) to ``NU_LARGEST``, which a tensor at least as light-tailed as a Gaussian gets.

    Returns
    -------
    StudentT or None
        None where half of the weights or more are equal (share a bin): the likelihood then grows
        without bound as the scale shrinks.
    """
    if values.values.size == 1:
        return None
    bins = asinh_histogram(values, _STEP)
    if 2 * bins.counts.max() >= values.total:
        return None
    x = (bins.means - bins.centre) / bins.scale
    shares = bins.counts / values.total

    def slope(log_nu: float) -> float:
        nu = exp(log_nu)
        location, scale = _location_and_scale(nu, x, shares)
        squares = ((x - location) / scale) ** 2
        gain = digamma((nu + 1) / 2) - digamma(nu / 2)
        return float(gain - np.sum(shares * np.log1p(squares / nu)))

    if slope(log(NU_LARGEST)) >= 0:
        nu = NU_LARGEST
    elif slope(log(NU_SMALLEST)) <= 0:
        nu = NU_SMALLEST
    else:
        nu = exp(brentq(slope, log(NU_SMALLEST), log(NU_LARGEST), xtol=1e-8))
    location, scale = _location_and_scale(nu, x, shares)
    return StudentT(bins.centre + bins.scale * location, bins.scale * scale, nu)


def _location_and_scale(
    nu: float, x: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[float, float]:
    """Location and scale of greatest likelihood at given degrees of freedom."""
    location, scale = 0.0, 1.0
    for _ in range(_ROUNDS):
        pull = shares / (nu + ((x - location) / scale) ** 2)
        pull /= np.sum(pull)
        next_location = float(np.sum(pull * x))
        next_scale = sqrt(float(np.sum(pull * (x - next_location) ** 2)))
        moved = abs(next_location - location) + abs(next_scale - scale)
        location, scale = next_location, next_scale
        if moved <= _TOLERANCE * scale:
            break
    return location, scale
