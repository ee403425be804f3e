"""What quantizing a layer's weights does to its output, and how far that is from the limit."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.bounds.waterfilling import output_aware_bound_bits
from qatlas.codecs.blocks import row_chunks
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


def output_error(weight: "Tensor", decoded: "Tensor", second_moment: "Tensor") -> float:
    """E |(W - W_hat) x|^2 per weight: tr((W - W_hat) H (W - W_hat)^T) / (rows columns).

    Parameters
    ----------
    weight, decoded
        Floating point, shape (rows, columns), at least one weight; ``weight`` may lie on a GPU.
    second_moment
        H = E[x x^T], shape (columns, columns). The covariance of x instead gives the error that
        is left when the mean of the output is corrected by a bias.

    Returns
    -------
    float
        In the unit of the output squared, summed in double precision.
    """
    h = second_moment.to(weight.device, torch.double)
    total = 0.0
    for rows in row_chunks(weight):
        error = weight[rows].detach().double() - decoded[rows].to(weight.device, torch.double)
        total += float(torch.sum(error @ h * error))
    return total / weight.numel()


def output_gap_bits(
    rate_bits: ArrayLike, error: ArrayLike, second_moment: "Tensor", weight_variance: float
) -> NDArray[np.float64]:
    """How many bits per weight a rate is above the least one for its output error.

    Parameters
    ----------
    rate_bits
        True bits per weight, any shape.
    error
        What ``output_error`` gives, same shape.
    second_moment
        H, shape (columns, columns).
    weight_variance
        Of the weights, which the limit takes for independent Gaussians.

    Raises
    ------
    AtlasError
        If H is no second moment, or an error is negative or not finite.
    """
    h = second_moment.detach().double().cpu().numpy()
    return np.asarray(rate_bits) - output_aware_bound_bits(h, weight_variance, error)
