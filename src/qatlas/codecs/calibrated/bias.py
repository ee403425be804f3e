"""Bias correction: what quantizing a layer's weights does to the mean of its output, taken off.

A codec's ``decode`` gives weights alone, so the correction is not a codec: whoever computes a
layer's output adds it, and charges its bits.

Source: Nagel et al. 2019, "Data-free quantization" (arXiv 1906.04721), section 4.2.
"""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from qatlas.codecs.base import CodecError
from qatlas.codecs.storage import stored
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


def bias_correction(weight: "Tensor", decoded: "Tensor", mean_input: "Tensor") -> NDArray[Any]:
    """E[(W - W_hat) x] as it is stored: to be added to the output, or to the layer's bias.

    Parameters
    ----------
    weight, decoded
        Floating point, shape (rows, columns).
    mean_input
        E[x], shape (columns,).

    Returns
    -------
    NDArray
        Float16, shape (rows,); its bits, 8 times ``nbytes``, are its cost.

    Raises
    ------
    CodecError
        If the mean has another length than the rows, or a correction does not fit float16.
    """
    if mean_input.shape != weight.shape[1:]:
        raise CodecError(
            f"mean_input: found shape {tuple(mean_input.shape)}; weights of shape "
            f"{tuple(weight.shape)} take ({weight.shape[1]},)"
        )
    lost = weight.detach().double() - decoded.to(weight.device, torch.double)
    bias = lost @ mean_input.to(weight.device, torch.double)
    rounded = bias.half()
    if not bool(rounded.isfinite().all()):
        raise CodecError(
            f"a correction of {float(bias.abs().max()):.3g} does not fit float16: correct weights "
            "that lose less"
        )
    return stored(rounded, "float16")
