"""Vector quantization to trained codebooks."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import Context, Encoded, finite_float32
from qatlas.codecs.registry import register
from qatlas.codecs.storage import StoredFloat
from qatlas.codecs.vectors.indices import pack_indices, unpack_indices
from qatlas.codecs.vectors.sharing import Sharing, groups, layout, vectors_of, weights_of
from qatlas.codecs.vectors.stages import Quantizer, sum_of_words, train
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Vectors = NDArray[np.float32]

_STAGES = ("", ".residual")


@register
@dataclass(frozen=True)
class Vector:
    """Vectors of consecutive weights, each the nearest word of a codebook trained by k-means.

    The codebook is trained on a random sample of the vectors and used for all of them. Several
    codebooks serve the subspaces of a row (product quantization) or are dealt the vectors in turn.
    A second stage has a codebook for what the first leaves over (residual quantization).

    Charged: an index a vector and stage; every codebook, as stored; what fills up the last vector
    of a row ("subspace") or of the tensor. Codebooks are as long as the longest of a stage, which
    has fewer than 2^index_bits words only where there are no more distinct vectors.

    Source: Linde, Buzo & Gray, "An algorithm for vector quantizer design", IEEE Trans. Commun. 28
    (1980); Jégou, Douze & Schmid, "Product quantization for nearest neighbor search", IEEE Trans.
    PAMI 33 (2011); Juang & Gray, "Multiple stage vector quantization for speech coding", ICASSP
    1982; the k-means is that of faiss, Douze et al., arXiv 2401.08281.

    Attributes
    ----------
    dimension
        Weights of a vector.
    index_bits
        Bits of an index; a codebook has 2^index_bits words.
    sharing
        Which vectors share a codebook: all of the "tensor", those of a "subspace", a contiguous
        range of columns, or those "dealt" to it in turn.
    codebooks
        How many codebooks a stage has, 1 for "tensor"; at most one for each vector of a row
        ("subspace") or of the tensor.
    stages
        Codebooks whose words add up.
    train_vectors_per_word
        Size of the training sample, per word of a codebook and at most all of its vectors.
    codebook_dtype
        How words are stored; weights go to the nearest word as stored.
    """

    dimension: Literal[2, 4, 8]
    index_bits: Annotated[int, Field(ge=1, le=12)]
    sharing: Sharing = "tensor"
    codebooks: Annotated[int, Field(ge=1, le=256)] = 1
    stages: Literal[1, 2] = 1
    train_vectors_per_word: Annotated[int, Field(ge=1)] = 256
    codebook_dtype: StoredFloat = "float16"

    def __post_init__(self) -> None:
        if (self.sharing == "tensor") != (self.codebooks == 1):
            raise ValueError(
                f"codebooks should be 1 with sharing 'tensor' and 2 or more with 'subspace' or "
                f"'dealt'; found {self.codebooks} with {self.sharing!r}"
            )

    @property
    def nominal_bits(self) -> float:
        """Bits of the indices of a vector over its dimension."""
        return self.stages * self.index_bits / self.dimension

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Train the codebooks, quantize all weights, and pack.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, do not fit float32, or have words that
            ``codebook_dtype`` cannot hold.
        """
        rows = finite_float32(weight)
        shape = tuple(weight.shape)
        if not prod(shape):
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        vectors = vectors_of(rows.numpy(), self.dimension, self.sharing)
        indices = np.empty((self.stages, *vectors.shape[:2]), np.uint16)
        quantizers, errors, trained_on = [], 0.0, 0
        for group in groups(vectors.shape[1], self.sharing, self.codebooks):
            members = vectors[:, group].reshape(-1, self.dimension)
            sample = self._sample(len(members), context.generator)
            quantizer = self._trained(members[sample], context.generator)
            found = quantizer.nearest(members)
            indices[:, :, group] = found.reshape(self.stages, len(vectors), -1)
            words = sum_of_words(quantizer.codebooks, list(found[:, sample]))
            errors += float(np.square(members[sample] - words, dtype=np.float64).sum())
            trained_on += words.size
            quantizers.append(quantizer)
        arrays = self._codebooks(quantizers)
        for name, index in zip(_STAGES, indices, strict=False):
            arrays[f"payload{name}"] = pack_indices(index.reshape(-1), self.index_bits)
        return Encoded(shape, arrays, train_mse=errors / trained_on)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Sum of the words of all stages; float32."""
        if not prod(encoded.shape):
            return torch.empty(encoded.shape)
        sequences, runs = layout(encoded.shape, self.dimension, self.sharing)
        served = groups(runs, self.sharing, self.codebooks)
        names = _STAGES[: self.stages]
        books = [
            encoded.arrays[f"codebook{name}"].reshape(len(served), -1, self.dimension)
            for name in names
        ]
        indices = [
            unpack_indices(
                encoded.arrays[f"payload{name}"], self.index_bits, sequences * runs
            ).reshape(sequences, runs)
            for name in names
        ]
        vectors = np.empty((sequences, runs, self.dimension), np.float32)
        for number, group in enumerate(served):
            vectors[:, group] = sum_of_words(
                [book[number] for book in books], [index[:, group] for index in indices]
            )
        return torch.from_numpy(weights_of(vectors, encoded.shape))

    def _sample(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Places of the vectors to train on, in random order."""
        wanted = self.train_vectors_per_word << self.index_bits
        return generator.choice(count, min(wanted, count), replace=False)

    def _trained(self, sample: Vectors, generator: np.random.Generator) -> Quantizer:
        words = 1 << self.index_bits
        return train(sample, words, self.stages, self.codebook_dtype, generator)

    def _codebooks(self, quantizers: list[Quantizer]) -> dict[str, NDArray[Any]]:
        """Codebooks of each stage one after another, all filled up to the longest."""
        arrays = {}
        for stage, name in enumerate(_STAGES[: self.stages]):
            books = [quantizer.codebooks[stage] for quantizer in quantizers]
            longest = max(map(len, books))
            filled = np.zeros((len(books), longest, self.dimension), books[0].dtype)
            for number, book in enumerate(books):
                filled[number, : len(book)] = book
            arrays[f"codebook{name}"] = filled.reshape(-1)
        return arrays
