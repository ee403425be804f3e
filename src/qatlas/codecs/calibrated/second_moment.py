"""The second moment of a layer's input as calibrated codecs take it: checked, damped, factored."""

from math import isfinite
from typing import TYPE_CHECKING

from qatlas.codecs.base import CodecError, Context
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_ASYMMETRY = 1e-3
"""Of the largest entry: what sums in narrow dtypes leave between H and its transpose."""

_SMALL = 256


def second_moment_for(weight: "Tensor", context: Context) -> "Tensor":
    """H of the context for the columns of a weight matrix.

    Returns
    -------
    Tensor
        Float64, shape (columns, columns), exactly symmetric, on the weight's device.

    Raises
    ------
    CodecError
        If there is none, or it has another shape, NaN or Inf, is not symmetric, or has a negative
        number on its diagonal.
    """
    columns = weight.shape[1]
    if context.second_moment is None:
        raise CodecError(
            "the second moment of the layer's input is missing; give it as "
            "Context(second_moment=...)"
        )
    h = context.second_moment.detach().to(weight.device, torch.double)
    if h.shape != (columns, columns):
        raise CodecError(
            f"second_moment: found shape {tuple(h.shape)}; weights of shape "
            f"{tuple(weight.shape)} take ({columns}, {columns})"
        )
    if not h.numel():
        return h
    least, largest = (float(end) for end in torch.aminmax(h))
    if not isfinite(least) or not isfinite(largest):
        raise CodecError("second_moment: found NaN or Inf; look for them in the layer's inputs")
    if least == largest == 0:
        raise CodecError("second_moment: found only zeros; calibrate with text that is not empty")
    tolerance = _ASYMMETRY * max(-least, largest)
    if float((h - h.T).max()) > tolerance or float(h.diagonal().min()) < -tolerance:
        raise CodecError(
            "second_moment: allowed is H = E[x x^T], which is symmetric and has no negative "
            "number on its diagonal"
        )
    return (h + h.T).mul_(0.5)


def damped(h: "Tensor", damping: float) -> "Tensor":
    """H with a share of its mean diagonal added to its diagonal (GPTQ, section 3.3, step 3)."""
    more = h.clone()
    more.diagonal().add_(damping * h.diagonal().mean())
    return more


def inverse_factor(h: "Tensor") -> "Tensor":
    """The upper triangular U with H^-1 = U^T U and a positive diagonal; H is not inverted.

    Parameters
    ----------
    h
        Float64, shape (n, n), symmetric.

    Raises
    ------
    CodecError
        If H is not positive definite.
    """
    # The Cholesky factor of H with its axes reversed, reversed, is upper triangular.
    factor, failed = torch.linalg.cholesky_ex(h.flip(0, 1))
    if bool(failed):
        raise CodecError(
            "second_moment: not positive definite, even damped; raise 'damping', or calibrate "
            "with more text than the layer has inputs"
        )
    inverse = torch.zeros_like(h)
    _invert_upper(factor.flip(0, 1), inverse)
    return inverse


def _invert_upper(factor: "Tensor", inverse: "Tensor") -> None:
    """Write the inverse of an upper triangular matrix into zeros, by halves: n^3 / 3 operations."""
    size = len(factor)
    if size <= _SMALL:
        identity = torch.eye(size, dtype=factor.dtype, device=factor.device)
        inverse.copy_(torch.linalg.solve_triangular(factor, identity, upper=True))
        return
    first, last = slice(0, size // 2), slice(size // 2, size)
    across = torch.linalg.solve_triangular(factor[first, first], factor[first, last], upper=True)
    inverse[first, last] = -torch.linalg.solve_triangular(
        factor[last, last], across, upper=True, left=False
    )
    for half in (first, last):
        _invert_upper(factor[half, half], inverse[half, half])
