"""What a rotation does to the distribution of the weights."""

from typing import TYPE_CHECKING, Any

from qatlas.codecs.hadamard import in_rows, mix
from qatlas.distinct import distinct
from qatlas.weights.matrices import Matrix

if TYPE_CHECKING:
    from torch import Tensor

_SEED = 0
"""Of the signs; the default of the codec ``rotate``."""


def kurtosis_by_rotation(matrix: Matrix) -> dict[str, Any]:
    """Row of the table ``rotation`` for one matrix: as it is, and rotated as ``rotate`` does."""
    along_input = in_rows(mix, matrix.weight.float(), _SEED)
    along_both = in_rows(mix, along_input.T, _SEED + 1)
    return {
        "model": matrix.model,
        "tensor": matrix.tensor,
        "kind": matrix.kind,
        "layer": matrix.layer,
        "weights": matrix.weight.numel(),
        "kurtosis": _kurtosis(matrix.weight),
        "kurtosis_rotated_input": _kurtosis(along_input),
        "kurtosis_rotated_both": _kurtosis(along_both),
    }


def _kurtosis(weight: "Tensor") -> float | None:
    values = distinct(weight)
    variance = values.central_moment(2)
    return values.central_moment(4) / variance**2 if variance > 0 else None
