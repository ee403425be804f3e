"""Sentence encoders under every codec: how far embeddings move, and whether neighbours stay."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.function.quantization import (
    Point,
    error_columns,
    model_bits,
    quantize_layers,
    rate_columns,
    writer_of,
)
from qatlas.models.encoder import transformer_of
from qatlas.models.layers import linear_layers

Floats = NDArray[np.floating[Any]]

NEIGHBOURS = 10
"""Nearest sentences whose overlap is measured."""


@dataclass(frozen=True)
class Agreement:
    """Embeddings of the same sentences by two models.

    Attributes
    ----------
    embedding_mse
        Mean over sentences and components of the squared difference.
    cosine, lowest_cosine
        Of the two embeddings of a sentence: mean and least over sentences.
    neighbour_overlap
        Mean share of the ``NEIGHBOURS`` sentences nearest to each, itself left out, that both
        models agree on.
    """

    embedding_mse: float
    cosine: float
    lowest_cosine: float
    neighbour_overlap: float


def agreement(reference: Floats, changed: Floats) -> Agreement:
    """Compare embeddings of unit length, shape (sentences, components).

    Raises
    ------
    AtlasError
        If there are too few sentences for so many neighbours.
    """
    if len(reference) <= NEIGHBOURS:
        raise AtlasError(
            f"function.encoders.sentences: {len(reference)} sentences have no {NEIGHBOURS} "
            f"neighbours each; ask for more than {NEIGHBOURS}"
        )
    one, other = reference.astype(np.float64), changed.astype(np.float64)
    cosines = (one * other).sum(axis=1)
    shared = [
        len(set(a) & set(b)) for a, b in zip(_neighbours(one), _neighbours(other), strict=True)
    ]
    return Agreement(
        embedding_mse=float(np.mean((one - other) ** 2)),
        cosine=float(cosines.mean()),
        lowest_cosine=float(cosines.min()),
        neighbour_overlap=float(np.mean(shared)) / NEIGHBOURS,
    )


def evaluate_encoder(
    name: str,
    encoder: Any,
    keep: tuple[str, ...],
    points: Sequence[Point],
    sentences: Sequence[str],
    batch: int,
    seed: int,
    progress: Callable[[Sequence[Point]], Iterable[Point]],
) -> list[dict[str, Any]]:
    """Rows of the table ``embeddings``: a sentence encoder quantized in many ways.

    Parameters
    ----------
    name
        Column ``model``.
    encoder
        A ``SentenceTransformer``, left as it is.
    keep
        Name patterns of weights that are not quantized.
    points
        Ways to quantize its linear layers.
    sentences
        To embed, ``batch`` at a time.
    seed
        Configured seed, from which all randomness derives.
    progress
        Takes the points and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no layer is left to quantize, a codec refuses one, or there are too few sentences.
    """
    layers = linear_layers(transformer_of(encoder), keep)
    expected = _embed(encoder, sentences, batch)
    rows = []
    for point in progress(points):
        changed = deepcopy(encoder)
        write, totals = writer_of(transformer_of(changed)), []
        for quantized in quantize_layers(layers, point.create(), {}, seed, name):
            write(quantized)
            totals.append(quantized.totals)
        found = agreement(expected, _embed(changed, sentences, batch))
        float_model = transformer_of(encoder)
        known = rate_columns(float_model, totals, model_bits(float_model, totals))
        rows.append(
            {
                "model": name,
                **point.key(),
                **known,
                **error_columns(totals),
                **asdict(found),
                "sentences": len(sentences),
            }
        )
    return rows


def _embed(encoder: Any, sentences: Sequence[str], batch: int) -> Floats:
    embeddings: Floats = encoder.encode(
        list(sentences), batch_size=batch, show_progress_bar=False, convert_to_numpy=True
    )
    return embeddings


def _neighbours(embeddings: Floats) -> NDArray[np.intp]:
    """Indices of the nearest others of each embedding, shape (sentences, NEIGHBOURS)."""
    similarity = embeddings @ embeddings.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
