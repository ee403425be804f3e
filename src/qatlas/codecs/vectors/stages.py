"""Codebooks in stages, each of which quantizes what those before it left over.

Source: Juang & Gray, "Multiple stage vector quantization for speech coding", ICASSP 1982.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.storage import StoredFloat, nearest_stored, stored_levels
from qatlas.codecs.vectors.kmeans import kmeans_codebook, nearest_word

Vectors = NDArray[np.float32]
Indices = NDArray[np.uint16]
Codebook = NDArray[Any]

_CHUNK = 1 << 15
_FARTHEST = 2.0**30


@dataclass(frozen=True)
class Unit:
    """Origin and unit in which vectors are compared, lest float32 lose what tells them apart.

    Attributes
    ----------
    origin
        Mean of the weights.
    scale
        Their standard deviation, as a power of two.
    """

    origin: np.float32
    scale: np.float32

    def from_weights(self, vectors: Vectors) -> Vectors:
        """Vectors in this unit; what is farther than 2^30 is brought back to it."""
        normal = vectors - self.origin
        normal /= self.scale
        return np.clip(normal, -_FARTHEST, _FARTHEST, out=normal)


@dataclass(frozen=True, eq=False)
class Quantizer:
    """Codebooks as they are stored, the first stage's first.

    Attributes
    ----------
    unit
        In which vectors are compared with words.
    codebooks
        Each of shape (words, dimension), in the unit of the weights.
    """

    unit: Unit
    codebooks: tuple[Codebook, ...]

    def nearest(self, vectors: Vectors) -> Indices:
        """Index of the word that is nearest to what the stages before leave, of each vector.

        Parameters
        ----------
        vectors
            Float32, shape (n, dimension).

        Returns
        -------
        NDArray
            Uint16, shape (stages, n).
        """
        indices = np.empty((len(self.codebooks), len(vectors)), np.uint16)
        words = [self._compared(stage) for stage in range(len(self.codebooks))]
        for start in range(0, len(vectors), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            left = self.unit.from_weights(vectors[chunk])
            for stage, book in enumerate(words):
                if stage:
                    left -= words[stage - 1][indices[stage - 1, chunk]]
                indices[stage, chunk] = nearest_word(left, book)
        return indices

    def left_over(self, vectors: Vectors) -> Vectors:
        """What all stages leave of the vectors, in the unit."""
        left = self.unit.from_weights(vectors)
        for stage in range(len(self.codebooks)):
            book = self._compared(stage)
            left -= book[nearest_word(left, book)]
        return left

    def _compared(self, stage: int) -> Vectors:
        origin = self.unit.origin if stage == 0 else 0
        return (self.codebooks[stage].astype(np.float32) - np.float32(origin)) / self.unit.scale


def train(
    vectors: Vectors, words: int, stages: int, dtype: StoredFloat, generator: np.random.Generator
) -> Quantizer:
    """Codebooks of least squared error on these vectors, one stage after another.

    Parameters
    ----------
    vectors
        Float32, shape (n, dimension), at least one, in random order.
    words
        Most words of a codebook.
    dtype
        How codebooks are stored.

    Raises
    ------
    CodecError
        If the dtype cannot hold the words of the first stage.
    """
    deviation = float(vectors.std(dtype=np.float64))
    scale = 2.0 ** np.rint(np.log2(deviation)) if deviation else 1.0
    unit = Unit(np.float32(vectors.mean(dtype=np.float64)), np.float32(scale))
    first = kmeans_codebook(unit.from_weights(vectors), words, generator)
    quantizer = Quantizer(unit, (stored_levels(first * unit.scale + unit.origin, dtype),))
    for _ in range(stages - 1):
        book = kmeans_codebook(quantizer.left_over(vectors), words, generator)
        stored = nearest_stored(book * unit.scale, dtype)
        quantizer = Quantizer(unit, (*quantizer.codebooks, stored))
    return quantizer


def sum_of_words(codebooks: Sequence[Codebook], indices: Sequence[Indices]) -> Vectors:
    """Sums over the stages of the words that their indices name.

    Parameters
    ----------
    codebooks
        Each of shape (words, dimension).
    indices
        Uint16, one array of the same shape for each stage.

    Returns
    -------
    NDArray
        Float32, the shape of the indices and (dimension,).
    """
    pairs = zip(codebooks, indices, strict=True)
    first, *others = (book.astype(np.float32)[index] for book, index in pairs)
    return np.asarray(sum(others, first))
