"""GPTQ as its paper writes it, one column at a time in double precision: slow, and a reference.

Source: Frantar et al. 2022 (arXiv 2210.17323), algorithm 1 with blocks of one column.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Round = Callable[[Matrix], Matrix]


def plain_gptq(weight: Matrix, h: Matrix, group: int, fit: Callable[[Matrix], Round]) -> Matrix:
    """Quantize a matrix, the inverse of H telling later columns how to make up for earlier ones.

    Parameters
    ----------
    weight
        Shape (rows, columns).
    h
        Damped second moment, shape (columns, columns), positive definite.
    group
        Columns that share a grid.
    fit
        From the weights of a group, shape (rows, columns of the group), what rounds a column of
        it, shape (rows,), to its grid.
    """
    inverse = np.linalg.cholesky(np.linalg.inv(h)).T
    remaining = weight.copy()
    quantized = np.empty_like(weight)
    for column in range(weight.shape[1]):
        if column % group == 0:
            round_to_grid = fit(remaining[:, column : column + group])
        quantized[:, column] = round_to_grid(remaining[:, column])
        error = (remaining[:, column] - quantized[:, column]) / inverse[column, column]
        remaining[:, column:] -= np.outer(error, inverse[column, column:])
    return quantized
