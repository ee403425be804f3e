"""Weights as calibrated codecs compute with them."""

from typing import TYPE_CHECKING

from qatlas.codecs.base import CodecError
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


def singles(weight: "Tensor") -> "Tensor":
    """Weights in float32, contiguous, on their device.

    Raises
    ------
    CodecError
        If float32 does not hold them.
    """
    values = weight.detach().float().contiguous()
    if values.numel() and not bool(torch.stack(torch.aminmax(values)).isfinite().all()):
        raise CodecError("weights beyond the range of float32: rescale the weights")
    return values
