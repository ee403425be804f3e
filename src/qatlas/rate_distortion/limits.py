"""The limits of a tensor, as a table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.bounds.empirical import rate_distortion_curve
from qatlas.bounds.gaussian import rate_bits, shannon_lower_bound_bits
from qatlas.distinct import distinct
from qatlas.weights.matrices import Matrix


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
    nmse = curve.distortion / variance
    columns = {
        "nmse": nmse,
        "empirical_bits": curve.rate_bits,
        "shannon_bits": _finite(rate_bits(nmse)),
        "shannon_lower_bits": _finite(shannon_lower_bound_bits(entropy_bits, curve.distortion)),
    }
    key = {"model": matrix.model, "tensor": matrix.tensor, "kind": matrix.kind}
    return [
        key | dict(zip(columns, map(float, point), strict=True))
        for point in zip(*columns.values(), strict=True)
    ]


def _finite(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Missing where a continuous source would need infinitely many bits: at no error."""
    return np.where(np.isfinite(bits), bits, np.nan)
