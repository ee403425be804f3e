"""Floats as they are stored beside the codes: rounded to a narrow dtype, and charged for it."""

from typing import TYPE_CHECKING, Any, Literal

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

StoredFloat = Literal["float16", "bfloat16", "float32"]

REMEDIES = {
    "float16": "use 'bfloat16' or 'float32'",
    "bfloat16": "use 'float32' or rescale the weights",
    "float32": "rescale the weights",
}
"""What to do about values that a dtype cannot hold."""


def round_to(values: "Tensor", dtype: StoredFloat, what: str) -> "Tensor":
    """Values of ``values`` rounded to ``dtype``, as float32, same shape.

    Raises
    ------
    CodecError
        If a value is beyond the dtype's range; ``what`` names it in the message.
    """
    rounded = values.to(getattr(torch, dtype)).float()
    if not bool(torch.isfinite(rounded).all()):
        raise CodecError(
            f"a {what} of {values.abs().max():.3g} does not fit {what}_dtype {dtype!r}: "
            f"{REMEDIES[dtype]}"
        )
    return rounded


def stored(values: "Tensor", dtype: StoredFloat) -> NDArray[Any]:
    """Array of ``dtype`` as it is stored; the values must be representable in it."""
    narrow = values.cpu().to(getattr(torch, dtype)).contiguous()
    return narrow.view(torch.uint8).numpy().view(np.dtype(dtype))


def restored(array: NDArray[Any]) -> "Tensor":
    """Float32 tensor of stored values, same shape."""
    return torch.from_numpy(array.astype(np.float32))


def stored_levels(levels: NDArray[np.floating[Any]], dtype: StoredFloat) -> NDArray[Any]:
    """Levels of a codebook rounded to ``dtype``, as they are stored; any shape.

    Raises
    ------
    CodecError
        If the level farthest from zero is beyond the dtype's range or below its normal numbers.
    """
    smallest, largest = _normal_range(dtype)
    farthest = float(np.max(np.abs(levels), initial=0.0))
    if farthest != 0 and not smallest <= farthest <= largest:
        raise CodecError(
            f"the level farthest from zero is {farthest:.6g}; codebook_dtype "
            f"{dtype!r} holds {smallest:.3g} to {largest:.6g}: {REMEDIES[dtype]}"
        )
    return levels.astype(dtype)


def nearest_stored(values: NDArray[np.floating[Any]], dtype: StoredFloat) -> NDArray[Any]:
    """The number of ``dtype`` nearest each value: what is beyond its range is brought back."""
    _, largest = _normal_range(dtype)
    bounded: NDArray[Any] = np.clip(values, -largest, largest)
    return bounded.astype(dtype)


def _normal_range(dtype: StoredFloat) -> tuple[float, float]:
    limits: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return float(limits.smallest_normal), float(limits.max)
