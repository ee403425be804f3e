"""How an error grows from block to block, and how much of that is of first order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.layers.capture import Batch, capture
from qatlas.geometry.layers.rounding import RoundedLayer, moved

Singles = NDArray[np.float32]

# Of the weights' size: so small that what is not linear in it is far smaller still, and so large
# that float32 resolves its effect to a few per mille.
_SMALL = 2.0**-8


@dataclass(frozen=True)
class Growth:
    """The error of the hidden states behind one block.

    Attributes
    ----------
    measured
        Its RMS over that of the hidden states.
    first_order
        The same of the first-order error: all E_l at once, each carried on by the Jacobian of what
        follows.
    unexplained
        RMS of the difference of the two over that of the measured error.
    """

    measured: float
    first_order: float
    unexplained: float


def first_order(
    model: Any,
    rounded: Sequence[RoundedLayer],
    blocks: Sequence[Any],
    batches: Sequence[Batch],
) -> list[Singles]:
    """Error of the hidden states behind each block to first order in the weights' errors.

    The derivative of the hidden states along E by a central difference, W + t E and W - t E, with
    t so that weights move by 2^-8 of their size at most.
    """
    size = np.sqrt(sum(float((r.layer.weight.double() ** 2).sum()) for r in rounded))
    error = np.sqrt(sum(float((r.error**2).sum()) for r in rounded))
    share = min(1.0, _SMALL * size / error) if error else 1.0
    ends = []
    for sign in (1, -1):
        with moved(rounded, sign * share):
            ends.append(capture(model, (), blocks, batches).blocks)
    return [(ahead - behind) / np.float32(2 * share) for ahead, behind in zip(*ends, strict=True)]


def growth(exact: Singles, quantized: Singles, linear: Singles) -> Growth:
    """Compare hidden states, and their first-order error, all of shape (tokens, hidden)."""
    error = quantized.astype(np.float64) - exact
    size, scale = _rms(error), _rms(exact.astype(np.float64))
    return Growth(
        measured=size / scale,
        first_order=_rms(linear.astype(np.float64)) / scale,
        unexplained=_rms(error - linear) / size if size else float("nan"),
    )


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt((values**2).mean()))
