"""What a chain and a dot product give in floating-point arithmetic of several widths.

A chain starts between 0.475 R and 0.525 R; its factors are within min(0.1, 0.2 R) of 1. Where the
product would leave the range, the factor is scaled by 0.9 R / |product| + 0.1, for the table and
all arithmetic alike. Operands of a dot product are within R / 2 of zero; its products and its
running sum saturate at R.
"""

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from qatlas.lut.simulation.draws import Draws

Floats = NDArray[np.float64]

DTYPES: dict[str, np.dtype[Any]] = {
    "float8": np.dtype(ml_dtypes.float8_e4m3fn),
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
"""Reference arithmetic by name; float8 is E4M3 without infinities."""


@dataclass(frozen=True)
class Chains:
    """Chained products of an ensemble.

    Attributes
    ----------
    starts
        First values, shape (trajectories,).
    factors
        As they are used, scaled where they must be, shape (trajectories, steps).
    reference
        Values after each step in the reference's arithmetic, shape (trajectories, steps).
    exact
        The same factors multiplied in float64.
    """

    starts: Floats
    factors: Floats
    reference: Floats
    exact: Floats


@dataclass(frozen=True)
class DotOperands:
    """Operands of dot products, each of shape (trajectories, steps)."""

    a: Floats
    b: Floats


def chains(draws: Draws, limit: float, dtype: str) -> Chains:
    """Chained products in the arithmetic of a dtype, which decides when factors are scaled.

    Parameters
    ----------
    draws
        Random numbers; of operands, the first of each step.
    limit
        R.
    dtype
        One of ``DTYPES``.
    """
    kind = DTYPES[dtype]
    starts = limit * (0.475 + 0.05 * draws.starts)
    width = min(0.1, 0.2 * limit)
    # A row a step, since steps follow each other.
    factors = np.ascontiguousarray((1 + width * (2 * draws.operands[:, :, 0] - 1)).T)
    reference, exact = np.empty_like(factors), np.empty_like(factors)
    value, exact_value = starts.astype(kind), starts
    for step, factor in enumerate(factors):
        product = np.abs((value * factor.astype(kind)).astype(np.float64))
        beyond = product > limit
        factor[beyond] *= 0.9 * limit / product[beyond] + 0.1
        value = value * factor.astype(kind)
        exact_value = exact_value * factor
        reference[step], exact[step] = value.astype(np.float64), exact_value
    return Chains(starts, np.ascontiguousarray(factors.T), reference.T, exact.T)


def dot_operands(draws: Draws, limit: float) -> DotOperands:
    """Operands of dot products, within R / 2 of zero."""
    a, b = (limit * (draws.operands[:, :, side] - 0.5) for side in range(2))
    return DotOperands(a, b)


def saturating_sums(operands: DotOperands, limit: float, dtype: str) -> Floats:
    """Running sums of products that saturate, as the products do, in the arithmetic of a dtype.

    Returns
    -------
    Floats
        After each step, shape (trajectories, steps).
    """
    kind = DTYPES[dtype]
    products = operands.a.astype(kind) * operands.b.astype(kind)
    products = _saturated(products, limit).T
    sums = np.empty(products.shape)
    value = np.zeros(products.shape[1], kind)
    for step, product in enumerate(np.ascontiguousarray(products)):
        value = _saturated(value + product, limit)
        sums[step] = value.astype(np.float64)
    return sums.T


def _saturated(values: NDArray[Any], limit: float) -> NDArray[Any]:
    """Values within the range, of the same dtype."""
    clipped = np.clip(values.astype(np.float64), -limit, limit)
    return clipped.astype(values.dtype)
