"""Sentence encoders: a transformer, whose hidden states are pooled and scaled to unit length."""

import re
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from qatlas.errors import AtlasError, said
from qatlas.models.loading import load_whole
from qatlas.seeds import generator

Pooling = Literal["mean", "cls", "max"]

_SENTENCE = re.compile(r"[A-Z][^.!?]{30,300}[.!?](?=\s|$)")


def open_encoder(folder: str | Path, pooling: Pooling) -> Any:
    """A ``SentenceTransformer`` on the CPU, of a folder with a transformer and its tokenizer.

    It computes in float32 whatever its weights are stored in, which float32 holds exactly.

    Parameters
    ----------
    pooling
        How an embedding is made of hidden states; the model's card tells.

    Raises
    ------
    AtlasError
        If the folder holds no such model.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import Pooling as Pooled
    from transformers import AutoModel

    where = str(folder)
    # Poolers are often left out, since most encoders pool by themselves.
    try:
        load_whole(AutoModel, folder, "a sentence encoder", optional="pooler")
    except AtlasError as error:
        raise AtlasError(f"function.encoders: {error}; or name another model") from error
    own_files_alone = {"local_files_only": True, "trust_remote_code": False}
    try:
        transformer = Transformer(
            where,
            model_kwargs=own_files_alone | {"use_safetensors": True},
            processor_kwargs=own_files_alone,
            config_kwargs=own_files_alone,
        )
    except MemoryError:
        raise
    except Exception as error:  # What code for a hundred architectures raises is of any class.
        raise AtlasError(
            f"{folder}: not a sentence encoder that can be loaded ({said(error)}); it needs "
            "config.json, a tokenizer and *.safetensors; name another model in function.encoders"
        ) from error
    pool = Pooled(transformer.get_embedding_dimension(), pooling_mode=pooling)
    return (
        SentenceTransformer(modules=[transformer, pool, Normalize()], device="cpu").eval().float()
    )


def transformer_of(encoder: Any) -> Any:
    """The model of transformers in an encoder."""
    return encoder[0].model


def held_out_sentences(documents: pd.DataFrame, part: str, number: int, seed: int) -> list[str]:
    """Sentences of a part of the text, all different, in random order.

    Parameters
    ----------
    documents
        A ``DOCUMENTS`` table.
    part
        One of its parts.
    number
        How many.
    seed
        Of the order, from which also the part derives.

    Raises
    ------
    AtlasError
        If the part has fewer.
    """
    texts = documents.loc[documents["part"] == part, "text"]
    joined = (" ".join(text.split()) for text in texts)
    found = list(dict.fromkeys(s for text in joined for s in _SENTENCE.findall(text)))
    if len(found) < number:
        raise AtlasError(
            f"function.encoders.sentences: the {part} part of the text has {len(found)} sentences "
            f"of 32 to 302 characters; ask for at most so many, found {number}"
        )
    order = generator(seed, "sentences", part).permutation(len(found))
    return [found[place] for place in order[:number]]
