"""Quantizers in straightforward NumPy, as a notebook has them: nothing packed, nothing compiled."""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


def uniform(weight: Weights, bits: int, group: int, deviations: float = np.inf) -> Weights:
    """Round each group to 2^bits equally spaced levels, symmetric about zero.

    Parameters
    ----------
    weight
        Any shape; the number of weights is a multiple of the group.
    bits
        Of a code.
    group
        Consecutive weights that share a scale.
    deviations
        Weights farther from the group's mean, in standard deviations, are clipped.
    """
    groups = weight.reshape(-1, group)
    decoded = np.empty_like(groups)
    for i in range(len(groups)):
        decoded[i] = _rounded(groups[i], 1 << bits, deviations)
    return decoded.reshape(weight.shape)


def lloyd_max(weight: Weights, bits: int, rounds: int = 20) -> Weights:
    """Move 2^bits levels to the means of their nearest weights, from percentiles on."""
    values = weight.ravel()
    count = 1 << bits
    levels = np.percentile(values, 100 * (np.arange(count) + 0.5) / count)
    for _ in range(rounds):
        codes = np.digitize(values, (levels[1:] + levels[:-1]) / 2)
        for level in range(count):
            mask = codes == level
            if mask.any():
                levels[level] = values[mask].mean()
    codes = np.digitize(values, (levels[1:] + levels[:-1]) / 2)
    return levels.astype(np.float32)[codes].reshape(weight.shape)


def mean_squared_error(weight: Weights, decoded: Weights) -> float:
    """MSE, summed in double precision."""
    return float(np.mean((weight - decoded) ** 2, dtype=np.float64))


def _rounded(group: Weights, levels: int, deviations: float) -> Weights:
    low, high = group.min(), group.max()
    if np.isfinite(deviations):
        mean, deviation = group.mean(), group.std()
        low = max(low, mean - deviations * deviation)
        high = min(high, mean + deviations * deviation)
    centre = (levels - 1) / 2
    step = max(-low, high) / centre
    codes = np.clip(np.round(group / step + centre), 0, levels - 1)
    return (codes - centre) * step
