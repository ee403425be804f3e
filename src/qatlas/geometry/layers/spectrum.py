"""In how many directions an error goes: the spectrum of its covariance, and what predicts it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_UNIFORM_VARIANCE = 1 / 12
_UNIFORM_EXCESS_KURTOSIS = -1.2


def covariance(points: NDArray[np.floating]) -> Floats:
    """E[x x^T] - E[x] E[x]^T of points of shape (points, channels), float64."""
    centred: Floats = points.astype(np.float64)
    centred -= centred.mean(axis=0)
    found: Floats = centred.T @ centred / len(centred)
    return found


def spectrum(matrix: Floats) -> Floats:
    """Eigenvalues of a covariance, the largest first; those below zero by rounding are zero."""
    found: Floats = np.maximum(np.linalg.eigvalsh(matrix)[::-1], 0)
    return found


def transported_spectrum(matrix: Floats, inputs: Floats) -> Floats:
    """Nonzero eigenvalues of M S M^T, computed on the side that is shorter.

    Parameters
    ----------
    matrix
        M, shape (outputs, inputs).
    inputs
        S, a covariance, shape (inputs, inputs).

    Returns
    -------
    ndarray
        The largest first, shape (least of outputs and inputs,).
    """
    if matrix.shape[0] <= matrix.shape[1]:
        return spectrum(matrix @ inputs @ matrix.T)
    values, vectors = np.linalg.eigh(inputs)
    root = vectors * np.sqrt(np.maximum(values, 0))
    moved = matrix @ root
    return spectrum(moved.T @ moved)


def participation(eigenvalues: Floats) -> float:
    """Effective dimension as the participation ratio (sum l)^2 / sum l^2; NaN of nothing."""
    total = eigenvalues.sum()
    return float(total**2 / (eigenvalues**2).sum()) if total else float("nan")


def participation_of(matrix: Floats) -> float:
    """The same of a covariance: its trace squared over its squared Frobenius norm."""
    squares = (matrix**2).sum()
    return float(np.trace(matrix) ** 2 / squares) if squares else float("nan")


def entropy_dimension(eigenvalues: Floats) -> float:
    """Effective dimension as exp of the entropy of l / sum l (Roy and Vetterli 2007); NaN of none.

    It counts small eigenvalues for more than the participation ratio does, and is never below it.
    """
    total = eigenvalues.sum()
    if not total:
        return float("nan")
    shares = eigenvalues[eigenvalues > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def cell_participation(steps: Floats) -> float:
    """Participation ratio of E x at one x, over weights anywhere in their rounding cells.

    Output channels are independent, with variances step^2 / 12 |x|^2, so that nearly all of them
    count.
    """
    return participation(_UNIFORM_VARIANCE * steps**2)


def predicted_participation(steps: Floats, inputs: Floats) -> float:
    """Participation ratio of the error E x over inputs x, E not known but for its rounding cell.

    The ratio of the expectations of (tr C)^2, its variance left out, and of tr C^2, C = E S E^T,
    for entries of E that are independent and uniform within half a step of their row. For equal
    steps and many channels 1 / PR is about 1 / outputs + 1 / PR(S): whichever is smaller, the
    outputs or the dimension of the inputs, decides.

    Parameters
    ----------
    steps
        Shape (outputs,).
    inputs
        S, the covariance of x, shape (inputs, inputs).
    """
    variances = _UNIFORM_VARIANCE * steps**2
    trace, squares = np.trace(inputs), (inputs**2).sum()
    same_row = trace**2 + 2 * squares + _UNIFORM_EXCESS_KURTOSIS * (np.diag(inputs) ** 2).sum()
    power = (variances**2).sum()
    expected = power * same_row + (variances.sum() ** 2 - power) * squares
    return float((variances.sum() * trace) ** 2 / expected) if expected else float("nan")


def drawn_from_cell(steps: Floats, columns: int, random: np.random.Generator) -> Floats:
    """Errors of weights, uniform within half a step of their row, shape (outputs, columns)."""
    return steps[:, None] * random.uniform(-0.5, 0.5, (len(steps), columns))
