"""Lattice codebooks in one stage or two, by bits per weight.

Refinement by a second codebook is how QuIP# (Tseng et al. 2024, arXiv 2402.04396) has more than
two bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.lattices.codebooks import LatticeCodebook, lattice_codebook
from qatlas.codecs.lattices.nearest_point import LatticeName

Vectors = NDArray[np.float64]
Points = NDArray[np.int64]


@dataclass(frozen=True)
class Stage:
    """A codebook that quantizes what the stages before it left over, at a scale of its own.

    Attributes
    ----------
    lattice, shift, index_bits
        The codebook, as ``lattice_codebook`` takes them.
    scale
        Unit of the codebook's coordinates, in units of the first stage's.
    """

    lattice: LatticeName
    shift: float
    index_bits: int
    scale: float = 1.0

    @property
    def codebook(self) -> LatticeCodebook:
        """The codebook, made when first used."""
        return lattice_codebook(self.lattice, self.shift, self.index_bits)


STAGES: dict[tuple[str, float], tuple[Stage, ...]] = {
    ("d4", 2): (Stage("d4", 0.5, 8),),
    ("d4", 3): (Stage("d4", 0.5, 12),),
    ("d4", 4): (Stage("d4", 0.5, 16),),
    ("e8", 1): (Stage("e8", 0.0, 8),),
    ("e8", 2): (Stage("e8", 0.5, 16),),
    ("e8", 3): (Stage("e8", 0.5, 16), Stage("e8", 0.0, 8, 0.48)),
    ("e8", 4): (Stage("e8", 0.5, 16), Stage("e8", 0.5, 16, 0.26)),
}
"""Codebooks by lattice and bits per weight. The scales of second stages are those with the least
squared error on N(0, 1), to two digits."""


def shell_factors(
    codebook: LatticeCodebook, indices: Points, vectors: Vectors
) -> NDArray[np.float16]:
    """Factor for the codewords at each distance from the origin that suits their vectors best.

    The cells of a bounded codebook are not those of its lattice: outer ones are open, and the
    density falls within all of them. So each shell of codewords is moved to where the centroids
    of its cells lie on average, by least squares (Lloyd's centroid condition, along the radius).

    Parameters
    ----------
    codebook
        The codebook.
    indices
        Int64, shape (n,), of the vectors' codewords.
    vectors
        Float64, shape (n, dimension), in the codebook's unit.

    Returns
    -------
    NDArray
        Float16, shape (shells,); 1 for a shell without vectors.
    """
    words, shells = codebook.words(indices), codebook.shells[indices]
    count = int(codebook.shells.max()) + 1
    along = np.bincount(shells, (words * vectors).sum(1), count)
    power = np.bincount(shells, (words * words).sum(1), count)
    return np.where(power > 0, along / np.where(power > 0, power, 1), 1).astype(np.float16)


def nearest_words(stages: tuple[Stage, ...], vectors: Vectors) -> tuple[list[Points], Vectors]:
    """Indices of each stage, and the sums of their codewords, for vectors in the first's unit.

    Exact for one stage; for two, the second is nearest to what the nearest of the first leaves.
    """
    first = stages[0].codebook
    indices = first.nearest(vectors)
    further, words = refined(stages, vectors, first.words(indices))
    return [indices, *further], words


def refined(
    stages: tuple[Stage, ...], vectors: Vectors, words: Vectors
) -> tuple[list[Points], Vectors]:
    """Indices of the stages after the first, and the words with their codewords added."""
    indices = []
    for stage in stages[1:]:
        index = stage.codebook.nearest((vectors - words) / stage.scale)
        words = words + stage.scale * stage.codebook.words(index)
        indices.append(index)
    return indices, words


def words_of(
    stages: tuple[Stage, ...], indices: list[Points], factors: NDArray[np.float16]
) -> Vectors:
    """Sums of the codewords of each stage's indices; ``factors`` move the first one's shells."""
    first = stages[0].codebook
    words = first.words(indices[0]) * factors.astype(np.float64)[first.shells[indices[0]], None]
    for stage, index in zip(stages[1:], indices[1:], strict=True):
        words = words + stage.scale * stage.codebook.words(index)
    return words
