"""How long the shape of a layer's error takes, next to a loop over directions and a plain SVD."""

from time import process_time

import numpy as np
from numpy.typing import NDArray
from record import (
    Measurement,
    Record,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)
from threadpoolctl import threadpool_limits

from qatlas.geometry.layers.spectrum import participation, spectrum
from qatlas.geometry.layers.support import dense_law, extent, random_directions
from qatlas.geometry.sets.zonotope import Zonotope, covariance

Floats = NDArray[np.float64]


def run(
    threads: int = 2, outputs: int = 2048, generators: int = 4096, directions: int = 256
) -> Record:
    """Support in random directions and the covariance spectrum of p dense Gaussian generators.

    Parameters
    ----------
    outputs, generators
        d and p of the zonotope.
    directions
        In which the support is measured.
    """
    before = machine(threads=threads)
    random = np.random.default_rng(0)
    matrix = random.standard_normal((outputs, generators)) / np.sqrt(outputs)
    around = random_directions(directions, outputs, random)
    what = f"{outputs} x {generators}"
    with threadpool_limits(threads):
        started = process_time()
        reach_seconds, reach = timed(lambda: extent(matrix, around))
        spectrum_seconds, eigenvalues = timed(
            lambda: spectrum(covariance(Zonotope(np.zeros(outputs), matrix)))
        )
        cpu_seconds = process_time() - started
        report_progress(f"{what}: qatlas {reach_seconds + spectrum_seconds:.2f} s")
        loop_seconds, looped = timed(lambda: _by_loop(matrix, around))
        report_progress(f"{what}: loop over directions {loop_seconds:.2f} s")
        svd_seconds, squares = timed(lambda: np.linalg.svd(matrix, compute_uv=False) ** 2 / 3)
        report_progress(f"{what}: NumPy's SVD {svd_seconds:.2f} s")
    ratio = float(reach.ratio.mean())
    support_error = float(np.abs(reach.worst / looped - 1).max())
    spectrum_error = float(np.abs(eigenvalues - squares).max() / squares.max())
    return Record(
        name="geometry_layers",
        compares=f"support in {directions} random directions and covariance spectrum of a zonotope "
        "with dense generators, with a loop over directions and NumPy's singular values",
        machine=before,
        measurements=(
            Measurement(f"{what}, support", "qatlas", reach_seconds, "s"),
            Measurement(f"{what}, support", "loop over directions", loop_seconds, "s"),
            Measurement(f"{what}, spectrum", "qatlas", spectrum_seconds, "s"),
            Measurement(f"{what}, spectrum", "numpy.linalg.svd", svd_seconds, "s"),
            Measurement(f"{what}, both", "qatlas", cpu_seconds, "CPU s"),
            Measurement("worst over RMS", "qatlas", ratio, "1"),
            Measurement("worst over RMS", "sqrt(6 p / pi)", dense_law(generators), "1"),
            Measurement("participation ratio", "qatlas", participation(eigenvalues), "1"),
        ),
        targets=(
            at_most(f"{what}: seconds for both", reach_seconds + spectrum_seconds, 10),
            at_least(f"{what}: times as fast as a loop", loop_seconds / reach_seconds, 1),
            at_least(f"{what}: times as fast as an SVD", svd_seconds / spectrum_seconds, 1),
            at_most(f"{what}: support beside the loop's, relative", support_error, 1e-9),
            at_most(f"{what}: spectrum beside the SVD's, relative", spectrum_error, 1e-9),
            at_most(
                "worst over RMS beside sqrt(6 p / pi), relative",
                abs(ratio / dense_law(generators) - 1),
                0.1,
            ),
        ),
    )


def _by_loop(matrix: Floats, around: Floats) -> Floats:
    """Support, a direction at a time."""
    return np.array([np.abs(matrix.T @ direction).sum() for direction in around])


if __name__ == "__main__":
    print_record(run())
