"""What a rotation does to the distribution of the weights."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.blocks import row_chunks
from qatlas.codecs.hadamard import in_rows, mix
from qatlas.weights.matrices import Matrix

if TYPE_CHECKING:
    from torch import Tensor

_SEED = 0
"""Of the signs; the default of the codec ``rotate``."""


def kurtosis_by_rotation(matrix: Matrix) -> dict[str, Any]:
    """Row of the table ``rotation`` for one matrix: as it is, and rotated as ``rotate`` does."""
    rotated = in_rows(mix, matrix.weight, _SEED)
    along_input = _kurtosis(rotated)
    # In the same memory, of which a large matrix leaves no more.
    in_rows(mix, rotated.T, _SEED + 1, into=rotated.T)
    return {
        "model": matrix.model,
        "tensor": matrix.tensor,
        "kind": matrix.kind,
        "layer": matrix.layer,
        "weights": matrix.weight.numel(),
        "kurtosis": _kurtosis(matrix.weight),
        "kurtosis_rotated_input": along_input,
        "kurtosis_rotated_both": _kurtosis(rotated),
    }


def _kurtosis(weight: "Tensor") -> float | None:
    """Fourth central moment over the squared variance, summed in double precision."""
    origin = float(weight[0, 0])
    mean = origin + _mean(weight, lambda w: w - origin)
    variance = _mean(weight, lambda w: (w - mean) ** 2)
    return _mean(weight, lambda w: (w - mean) ** 4) / variance**2 if variance > 0 else None


def _mean(weight: "Tensor", term: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    chunks = (weight[rows].detach().cpu().double().numpy() for rows in row_chunks(weight))
    return float(sum(np.sum(term(chunk)) for chunk in chunks)) / weight.numel()
