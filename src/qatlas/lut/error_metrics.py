"""What a table errs by, in the metrics of approximate arithmetic.

Liang, Han and Lombardi 2013, New Metrics for the Reliability of Approximate and Probabilistic
Adders; Jiang et al. 2020, Approximate Arithmetic Circuits: A Survey.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.product_table import ProductTable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorMetrics:
    """Of the error T - ab of a table over pairs of operands; ED is its magnitude.

    Attributes
    ----------
    med
        Mean of ED.
    nmed
        MED over the largest magnitude of a true product.
    wce
        Largest ED of pairs that occur.
    mred
        Mean of ED / |ab| over pairs whose product is not zero; none if there are no such pairs.
    error_rate
        Share of pairs with an error.
    bias, deviation
        Mean and standard deviation of the error.
    crossover
        (deviation / bias)^2: so many added errors have a mean as large as their spread; none
        without a bias.
    """

    med: float
    nmed: float
    wce: float
    mred: float | None
    error_rate: float
    bias: float
    deviation: float
    crossover: float | None


def error_metrics(table: ProductTable, weights: Floats) -> ErrorMetrics | None:
    """Metrics of a table over pairs of operands; None where no pair occurs.

    Parameters
    ----------
    weights
        How often each pair occurs, up to a factor, shape (S, S).
    """
    total = float(weights.sum())
    if total == 0:
        return None
    share = weights / total
    true = np.multiply.outer(table.levels, table.levels)
    errors = _exact_zeros(table.products - true, true)
    distance = np.abs(errors)
    med = float((share * distance).sum())
    bias = float((share * errors).sum())
    variance = float((share * (errors - bias) ** 2).sum())
    # What is left of a mean that vanishes is the rounding of its sum.
    bias = bias if abs(bias) > _ROUNDING * med else 0.0
    nonzero = (true != 0) & (weights > 0)
    relative = distance[nonzero] / np.abs(true[nonzero])
    of_nonzero = share[nonzero].sum()
    return ErrorMetrics(
        med=med,
        nmed=med / float(np.abs(true).max()),
        wce=float(distance[weights > 0].max()),
        mred=float((share[nonzero] * relative).sum() / of_nonzero) if of_nonzero > 0 else None,
        error_rate=min(1.0, float(share[distance > 0].sum())),
        bias=bias,
        deviation=float(np.sqrt(variance)),
        crossover=variance / bias**2 if bias else None,
    )


def in_range(table: ProductTable) -> NDArray[np.bool_]:
    """Pairs of operands whose true product is within the range, shape (S, S)."""
    true = np.multiply.outer(table.levels, table.levels)
    return np.abs(true) <= table.limit * (1 + _ROUNDING)


_ROUNDING = 1e-12
"""Relative; far above the rounding of float64, far below any error of a table."""


def _exact_zeros(errors: Floats, true: Floats) -> Floats:
    """Errors without those that are but the rounding of levels to float64."""
    return np.where(np.abs(errors) <= _ROUNDING * np.abs(true).max(), 0.0, errors)
