"""Codebooks by k-means, and the nearest codeword of a vector: faiss, at its quickest.

Source: Linde, Buzo & Gray, IEEE Trans. Commun. 28 (1980); the start is AFK-MC2, Bachem et al.,
"Fast and provably good seedings for k-means", NIPS 2016; faiss is Douze et al. 2024 (arXiv
2401.08281).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_FIRST_VECTORS_PER_WORD = 32
_FIRST_ITERATIONS = 10
_ITERATIONS = 16


def kmeans_codebook(vectors: Vectors, words: int, generator: np.random.Generator) -> Vectors:
    """Codebook of up to so many words with a locally least squared error.

    Most of the way is gone on a few of the vectors, so that few iterations see all of them. Where
    there are no more distinct vectors than words, they are the codebook.

    Parameters
    ----------
    vectors
        Float32, shape (n, dimension), C-contiguous, in random order; sums of squares must fit
        float32.
    words
        Most words of the codebook.

    Returns
    -------
    NDArray
        Float32, shape (min(words, distinct vectors), dimension).
    """
    if len(np.unique(vectors[: 2 * words], axis=0)) <= words:
        different = np.unique(vectors, axis=0)
        if len(different) <= words:
            return different
    seed = int(generator.integers(1 << 31))
    with _faiss() as faiss:
        start = faiss.ClusteringInitMethod_AFK_MC2
        first = vectors[: _FIRST_VECTORS_PER_WORD * words]
        codebook = _train(faiss, first, words, _FIRST_ITERATIONS, seed, init_method=start)
        return _train(faiss, vectors, words, _ITERATIONS, seed, codebook)


def nearest_word(vectors: Vectors, codebook: Vectors) -> NDArray[np.uint16]:
    """Index of the word nearest each vector.

    Parameters
    ----------
    vectors
        Float32, shape (n, dimension).
    codebook
        Float32, shape (words, dimension), 1 to 65,536 words.

    Returns
    -------
    NDArray
        Uint16, shape (n,).
    """
    with _faiss() as faiss:
        _, indices = faiss.knn(vectors, codebook, 1)
    return np.asarray(indices[:, 0], np.uint16)


def _train(
    faiss: Any,
    vectors: Vectors,
    words: int,
    iterations: int,
    seed: int,
    codebook: Vectors | None = None,
    **how: Any,
) -> Vectors:
    trained = faiss.Kmeans(
        vectors.shape[1],
        words,
        niter=iterations,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(vectors),
        **how,
    )
    trained.train(vectors, init_centroids=codebook)
    return np.asarray(trained.centroids, np.float32)


@contextmanager
def _faiss() -> Iterator[Any]:
    """Faiss, in one thread and with its kernel for short vectors at any number of them.

    By itself it takes that kernel, ten times as fast, only from 128,000 components on.
    """
    import faiss

    threads, threshold = faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold
    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 0
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(threads)
        faiss.cvar.distance_compute_blas_threshold = threshold
