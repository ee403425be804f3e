"""The optimal scalar codebook here and by kmeans1d: how long it takes and how good it is.

kmeans1d (PyPI) is the exact O(k n) dynamic programme of Wu (1991) in C++; at a million weights it
takes seconds for 16 levels and minutes for 256.
"""

from collections.abc import Callable

import kmeans1d
import numpy as np
from numpy.typing import NDArray
from record import (
    Measurement,
    Record,
    Target,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs.scalar.codebook import codebook_of_sorted

Solver = Callable[[NDArray[np.float32], int], NDArray[np.float64]]


def run(weights: int = 1 << 20, levels: tuple[int, ...] = (16, 256)) -> Record:
    """Solve the same Student-t weights, 5 degrees of freedom, with both.

    Seconds include sorting, not compilation.

    Parameters
    ----------
    weights
        Number of float32 weights.
    levels
        Codebook sizes.
    """
    before = machine(threads=1)
    values = np.random.default_rng(0).standard_t(5, weights).astype(np.float32)
    _by_qatlas(values, 2)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for count in levels:
        seconds, mse = _measure(_by_qatlas, values, count)
        their_seconds, their_mse = _measure(_by_kmeans1d, values, count)
        what = f"{count} levels"
        report_progress(f"{what}: {seconds:.3f} s, kmeans1d {their_seconds:.3f} s")
        measurements += [
            Measurement(f"{what}, time", "qatlas", seconds, "s"),
            Measurement(f"{what}, time", "kmeans1d", their_seconds, "s"),
            Measurement(f"{what}, MSE", "qatlas", mse, "1"),
            Measurement(f"{what}, MSE", "kmeans1d", their_mse, "1"),
        ]
        targets += [
            at_most(f"{what}: MSE above that of kmeans1d, relative", mse / their_mse - 1, 1e-6),
            at_least(f"{what}: times as fast as kmeans1d", their_seconds / seconds, 50),
        ]
    return Record(
        name="lloyd_max_vs_kmeans1d",
        compares=f"the optimal codebook of {weights} float32 Student-t(5) weights, with kmeans1d's",
        machine=before,
        measurements=tuple(measurements),
        targets=tuple(targets),
    )


def _by_qatlas(values: NDArray[np.float32], levels: int) -> NDArray[np.float64]:
    return codebook_of_sorted(np.sort(values), levels)


def _by_kmeans1d(values: NDArray[np.float32], levels: int) -> NDArray[np.float64]:
    return np.array(kmeans1d.cluster(values, levels).centroids)


def _measure(solve: Solver, values: NDArray[np.float32], levels: int) -> tuple[float, float]:
    """Seconds and MSE of a solver."""
    seconds, codebook = timed(lambda: solve(values, levels))
    nearest = codebook[np.searchsorted((codebook[:-1] + codebook[1:]) / 2, values)]
    return seconds, float(np.mean((values - nearest) ** 2))


if __name__ == "__main__":
    print_record(run())
