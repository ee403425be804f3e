"""The limits of a tensor, as a table."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.bounds.empirical import rate_distortion_curve
from qatlas.bounds.gaussian import rate_bits, shannon_lower_bound_bits
from qatlas.bounds.waterfilling import block_variance_bound_bits
from qatlas.codecs.blocks import row_chunks
from qatlas.deferred import torch
from qatlas.distinct import distinct
from qatlas.weights.matrices import Matrix

if TYPE_CHECKING:
    from torch import Tensor

GROUP = 128
"""Weights of a group whose variance a bound takes as known; that of few would tell too much."""


def limits(matrix: Matrix, entropy_bits: float) -> list[dict[str, Any]]:
    """Rows of the table ``bounds`` for one matrix; none if its weights are all equal.

    Parameters
    ----------
    matrix
        The weights.
    entropy_bits
        Differential entropy of its weights, in bits.
    """
    values = distinct(matrix.weight)
    variance = values.central_moment(2)
    if variance == 0:
        return []
    curve = rate_distortion_curve(values)
    mean = float(np.average(values.values, weights=values.counts))
    channel = matrix.weight.shape[1]
    nmse = curve.distortion / variance
    columns = {
        "nmse": nmse,
        "empirical_bits": curve.rate_bits,
        "shannon_bits": _finite(rate_bits(nmse)),
        "shannon_lower_bits": _finite(shannon_lower_bound_bits(entropy_bits, curve.distortion)),
        "channel_variance_bits": _of_blocks(matrix.weight, mean, channel, curve.distortion),
        "group_variance_bits": _of_blocks(matrix.weight, mean, GROUP, curve.distortion),
    }
    key = {"model": matrix.model, "tensor": matrix.tensor, "kind": matrix.kind}
    return [
        key | dict(zip(columns, map(float, point), strict=True))
        for point in zip(*columns.values(), strict=True)
    ]


def _of_blocks(
    weight: "Tensor", mean: float, size: int, distortion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Limit when the power of each block about the tensor's mean is known; else missing."""
    if weight.shape[1] % size:
        return np.full(distortion.shape, np.nan)
    powers = torch.empty(weight.shape[0], weight.shape[1] // size, dtype=torch.double)
    # Each is written where it belongs: small results kept one by one would lie between the large
    # chunks, and these would then not be used again.
    for rows in row_chunks(weight):
        squares = (weight[rows].detach().cpu().double() - mean).square_()
        powers[rows] = squares.unflatten(1, (-1, size)).mean(2)
    return _finite(block_variance_bound_bits(powers.numpy(), distortion))


def _finite(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Missing where a continuous source would need infinitely many bits: at no error."""
    return np.where(np.isfinite(bits), bits, np.nan)
