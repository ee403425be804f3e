"""Models of a study with what they read: sentence encoders and causal language models."""

from pathlib import Path
from typing import Literal

import pandas as pd

from qatlas.config.geometry_layers import Layers
from qatlas.geometry.layers.capture import padded, windows
from qatlas.geometry.layers.measure import ReadModel
from qatlas.models.encoder import held_out_sentences, open_encoder, transformer_of
from qatlas.models.layers import linear_layers
from qatlas.models.reading import open_language_model, part_of_text

# Only held-out text is read: what corrections recover is not what the model has learned by heart.
_PART = "test"


def read_encoder(
    name: str,
    folder: str | Path,
    pooling: Literal["mean", "cls", "max"],
    keep: tuple[str, ...],
    documents: pd.DataFrame,
    settings: Layers,
    seed: int,
) -> ReadModel:
    """A sentence encoder and held-out sentences.

    Parameters
    ----------
    keep
        Name patterns of weights that are not rounded.
    documents
        A ``DOCUMENTS`` table.
    seed
        Of the choice of sentences.

    Raises
    ------
    AtlasError
        If the folder holds no encoder, no layer is left to round, or there are too few sentences.
    """
    encoder = open_encoder(folder, pooling)
    model = transformer_of(encoder)
    sentences = held_out_sentences(documents, _PART, settings.sentences, seed)
    return ReadModel(
        name, model, linear_layers(model, keep), padded(encoder, sentences, settings.batch)
    )


def read_language_model(
    name: str,
    folder: str | Path,
    keep: tuple[str, ...],
    documents: pd.DataFrame,
    context: int,
    settings: Layers,
    seed: int,
) -> ReadModel:
    """A causal language model and a held-out text in sequences of ``context`` tokens.

    Parameters
    ----------
    keep, documents, seed
        As ``read_encoder`` takes them.

    Raises
    ------
    AtlasError
        If the folder holds no language model, no layer is left to round, or the text is too short.
    """
    opened = open_language_model(folder)
    text = part_of_text(documents, _PART, opened.reader, settings.tokens, seed)
    return ReadModel(
        name,
        opened.model,
        linear_layers(opened.model, keep),
        windows(text.tokens, context, settings.batch),
    )
