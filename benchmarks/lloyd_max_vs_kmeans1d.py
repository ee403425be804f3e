"""The optimal scalar codebook here and by kmeans1d: how long it takes and how good it is.

kmeans1d (PyPI) is the exact O(k n) dynamic programme of Wu (1991) in C++; at a million weights it
takes seconds for 16 levels and minutes for 256.
"""

import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

import kmeans1d
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.scalar_codebook import codebook_of_sorted


def run(weights: int = 1 << 20, levels: tuple[int, ...] = (16, 256)) -> dict[str, Any]:
    """Solve the same Student-t weights, 5 degrees of freedom, with both.

    Parameters
    ----------
    weights
        Number of float32 weights.
    levels
        Codebook sizes.

    Returns
    -------
    dict
        ``weights`` and ``results``, one for each of ``levels``: ``levels``, and for both solvers
        ``seconds`` (sorting included, compilation not) and ``mse``; ``excess`` is the
        relative amount by which this library's mse is above that of kmeans1d.
    """
    values = np.random.default_rng(0).standard_t(5, weights).astype(np.float32)
    codebook_of_sorted(np.sort(values), 2)
    return {"weights": weights, "results": [_compare(values, count) for count in levels]}


def _compare(values: NDArray[np.float32], levels: int) -> dict[str, Any]:
    ours = _measure(values, lambda: codebook_of_sorted(np.sort(values), levels))
    theirs = _measure(values, lambda: np.array(kmeans1d.cluster(values, levels).centroids))
    return {
        "levels": levels,
        "qatlas": ours,
        "kmeans1d": theirs,
        "excess": ours["mse"] / theirs["mse"] - 1,
    }


def _measure(
    values: NDArray[np.float32], solve: Callable[[], NDArray[np.float64]]
) -> dict[str, float]:
    start = perf_counter()
    codebook = solve()
    seconds = perf_counter() - start
    nearest = codebook[np.searchsorted((codebook[:-1] + codebook[1:]) / 2, values)]
    return {"seconds": seconds, "mse": float(np.mean((values - nearest) ** 2))}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
