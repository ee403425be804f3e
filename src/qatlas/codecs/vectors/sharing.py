"""Which vectors of a matrix share a codebook."""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

Sharing = Literal["tensor", "subspace", "dealt"]
"""One codebook for all vectors, one a range of columns, or several that take turns."""


def vectors_of(rows: Vectors, dimension: int, sharing: Sharing) -> Vectors:
    """Runs of consecutive weights, the last run of a sequence filled up with its last weight.

    For "subspace" every row is a sequence, so that a run's place says which columns it holds; else
    the rows run on into one another.

    Parameters
    ----------
    rows
        Float32, shape (rows, columns), at least one weight.

    Returns
    -------
    NDArray
        Shape (sequences, runs of one, dimension); a view of the weights where none is filled up.
    """
    sequences = rows if sharing == "subspace" else rows.reshape(1, -1)
    filling = -sequences.shape[1] % dimension
    filled = np.pad(sequences, ((0, 0), (0, filling)), "edge") if filling else sequences
    return filled.reshape(len(filled), -1, dimension)


def weights_of(vectors: Vectors, shape: tuple[int, ...]) -> Vectors:
    """Undo ``vectors_of``: the matrix of that shape, without what filled up the last runs."""
    sequences = vectors.reshape(len(vectors), -1)
    return sequences[:, : shape[0] * shape[1] // len(sequences)].reshape(shape)


def layout(shape: tuple[int, ...], dimension: int, sharing: Sharing) -> tuple[int, int]:
    """Sequences of a matrix of that shape, and the runs of each."""
    rows, columns = shape
    count, length = (rows, columns) if sharing == "subspace" else (1, rows * columns)
    return count, -(-length // dimension)


def groups(runs: int, sharing: Sharing, codebooks: int) -> list[slice]:
    """The runs of a sequence that each codebook serves, as slices; at most one codebook a run.

    A subspace is a contiguous range of runs, all ranges of equal length up to one; "dealt" runs go
    to the codebooks in turn.
    """
    count = min(codebooks, runs)
    if sharing == "dealt":
        return [slice(first, None, count) for first in range(count)]
    ends = [part * runs // count for part in range(count + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]
