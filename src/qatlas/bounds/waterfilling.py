"""Limits for sources whose parts have different variances: reverse water-filling.

Source: Kolmogorov 1956; Cover & Thomas, "Elements of Information Theory", theorem 10.3.3.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError


def block_variance_bound_bits(variances: ArrayLike, distortion: ArrayLike) -> NDArray[np.float64]:
    """Least rate of independent Gaussian blocks whose variances encoder and decoder know.

    With a water level t, D = mean(min(v, t)) and R = mean(0.5 log2 max(1, v / t)). What telling the
    decoder the variances costs is not in it, so no codec with scales can reach it exactly; one
    with blocks may lie below the bound of a memoryless source, not below this one, as far as the
    weights of a block are Gaussian.

    Parameters
    ----------
    variances
        Variance of each block, shape (n,), equally many weights in each, not negative.
    distortion
        Mean squared error per weight, any shape, not negative.

    Returns
    -------
    NDArray[np.float64]
        Bits per weight, shape of ``distortion``: 0 from the mean variance on, infinite for none.

    Raises
    ------
    AtlasError
        If there is no variance, or one or a distortion is negative or not finite.
    """
    v = np.sort(_finite("variances", variances).reshape(-1))
    if v.size == 0:
        raise AtlasError("variances: found none; give one for each block")
    wanted = _finite("distortion", distortion)
    level = _water_level(v, wanted)
    # A block without variance needs no bits, even for no distortion.
    logs = np.log2(v[v > 0])
    above = np.concatenate([np.cumsum(logs[::-1])[::-1], [0.0]])
    first = np.searchsorted(v, level, side="right") - (v.size - logs.size)
    first = np.clip(first, 0, logs.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = above[first] - (logs.size - first) * np.log2(level)
    return np.asarray(np.where(first == logs.size, 0.0, 0.5 * bits / v.size))


def output_aware_bound_bits(
    second_moment: ArrayLike, weight_variance: float, distortion: ArrayLike
) -> NDArray[np.float64]:
    """Least rate of a layer y = W x for a mean squared error of its output.

    Weights are independent Gaussians of one variance s^2. In the eigenbasis of H = E[x x^T], with
    eigenvalues l_i, the output error is the sum of the weights' errors times l_i: reverse
    water-filling on s^2 l_i. At high rate D = s^2 det(H)^(1/n) 2^(-2R).

    Parameters
    ----------
    second_moment
        H, shape (n, n), symmetric and positive semidefinite.
    weight_variance
        s^2.
    distortion
        E |(W - W_hat) x|^2 per output and input dimension: divided by rows and columns of W; any
        shape, not negative.

    Returns
    -------
    NDArray[np.float64]
        Bits per weight, shape of ``distortion``.

    Raises
    ------
    AtlasError
        If H is not a square matrix of finite values, or has an eigenvalue below zero beyond
        rounding.
    """
    h = _finite_matrix(second_moment)
    eigenvalues = np.linalg.eigvalsh(h)
    # Products of inputs are those of float32, as models compute.
    rounding = np.abs(eigenvalues).max(initial=0.0) * h.shape[0] * np.finfo(np.float32).eps
    if eigenvalues.min(initial=0.0) < -rounding:
        raise AtlasError(
            f"second_moment: found the eigenvalue {eigenvalues.min():.3g}, allowed: 0 or more; "
            "a second moment E[x x^T] has no negative one"
        )
    return block_variance_bound_bits(weight_variance * np.maximum(eigenvalues, 0.0), distortion)


def _water_level(v: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level t at which mean(min(v, t)) is the wanted distortion; sorted variances.

    Between two neighbouring variances that mean is linear in t, so no search is needed.
    """
    filled = (np.concatenate([[0.0], np.cumsum(v)[:-1]]) + v * np.arange(v.size, 0, -1)) / v.size
    first = np.minimum(np.searchsorted(filled, wanted), v.size - 1)
    below = np.concatenate([[0.0], np.cumsum(v)])[first]
    level = (wanted * v.size - below) / (v.size - first)
    return np.asarray(np.where(wanted >= filled[-1], v[-1], level))


def _finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all() or np.any(array < 0):
        raise AtlasError(f"{name}: allowed are finite numbers of 0 or more; look for NaN")
    return array


def _finite_matrix(second_moment: ArrayLike) -> NDArray[np.float64]:
    h = np.asarray(second_moment, np.float64)
    if h.ndim != 2 or h.shape[0] != h.shape[1] or not np.isfinite(h).all():
        raise AtlasError(
            f"second_moment: found shape {h.shape}; allowed is a square matrix of finite numbers"
        )
    return h
