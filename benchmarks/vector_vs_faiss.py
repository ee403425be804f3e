"""Vector quantization here and by faiss: how long it takes and how good it is.

Faiss (PyPI: faiss-cpu) trains with ``Kmeans`` as it comes (25 iterations on 256 vectors a word) and
searches its index for the word nearest each vector. The codec uses the same library's iterations
and search, but starts them better, and also rounds the codebook to float16 and packs the indices.
"""

from collections.abc import Callable
from functools import partial

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from record import (
    Measurement,
    Record,
    Target,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs import Context, create
from qatlas.codecs.measure import distortion_of

Weights = NDArray[np.float32]
Restore = Callable[[], Weights]
Quantize = Callable[[Weights], Restore]


def run(
    weights: int = 1 << 22,
    points: tuple[tuple[int, int], ...] = ((2, 8), (4, 8), (4, 10), (8, 8)),
    rounds: int = 3,
) -> Record:
    """Train on and encode the same Student-t weights, 5 degrees of freedom, with both.

    Seconds are the least of several rounds in which the two take turns, in one thread.

    Parameters
    ----------
    weights
        Number of float32 weights.
    points
        Dimension of the vectors, and bits of an index.
    """
    before = machine(threads=1)
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    values = np.random.default_rng(0).standard_t(5, (1024, weights // 1024)).astype(np.float32)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for dimension, bits in points:
        ours = partial(_by_qatlas, dimension, bits)
        theirs = partial(_by_faiss, dimension, bits)
        ours(values[:32])()
        found = [(_measure(ours, values), _measure(theirs, values)) for _ in range(rounds)]
        (seconds, mse), (their_seconds, their_mse) = (
            min(taken) for taken in zip(*found, strict=True)
        )
        what = f"{1 << bits} words of {dimension} weights"
        report_progress(f"{what}: {seconds:.3f} s, faiss {their_seconds:.3f} s")
        measurements += [
            Measurement(f"{what}, time", "qatlas", seconds, "s"),
            Measurement(f"{what}, time", "faiss", their_seconds, "s"),
            Measurement(f"{what}, MSE", "qatlas", mse, "1"),
            Measurement(f"{what}, MSE", "faiss", their_mse, "1"),
        ]
        targets += [
            at_most(f"{what}: time over that of faiss", seconds / their_seconds, 1),
            at_most(f"{what}: MSE above that of faiss, relative", mse / their_mse - 1, 0.01),
        ]
    return Record(
        name="vector_vs_faiss",
        compares=f"k-means and the nearest words of {weights} float32 Student-t(5) weights, with "
        "faiss's own",
        machine=before,
        measurements=tuple(measurements),
        targets=tuple(targets),
    )


def _by_qatlas(dimension: int, bits: int, values: Weights) -> Restore:
    codec = create("vector", dimension=dimension, index_bits=bits)
    encoded = codec.encode(torch.from_numpy(values), Context())
    return lambda: codec.decode(encoded).numpy()


def _by_faiss(dimension: int, bits: int, values: Weights) -> Restore:
    vectors = values.reshape(-1, dimension)
    trained = faiss.Kmeans(dimension, 1 << bits)
    trained.train(vectors)
    _, indices = trained.index.search(vectors, 1)
    return lambda: trained.centroids[indices].reshape(values.shape)


def _measure(quantize: Quantize, values: Weights) -> tuple[float, float]:
    """Seconds and MSE."""
    seconds, restore = timed(lambda: quantize(values))
    restored = torch.from_numpy(restore())
    return seconds, distortion_of(torch.from_numpy(values), restored).mse


if __name__ == "__main__":
    print_record(run())
