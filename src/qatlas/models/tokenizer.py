"""A byte-level BPE tokenizer: trained, kept as tokenizer.json, and what its tokens stand for.

Byte-pair encoding: Sennrich, Haddow & Birch 2016 (arXiv 1508.07909); on bytes, as in GPT-2.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, said
from qatlas.foreign_files import require_regular_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

SEPARATOR = "<|endoftext|>"
"""The token before the first and after every document; in a text it is ordinary characters."""


def train_tokenizer(batches: Iterable[Sequence[str]], vocabulary: int) -> "Tokenizer":
    """Byte-level BPE tokenizer, the same for the same documents in any order.

    The vocabulary is the separator (token 0), the 256 bytes, and merges of what stands between
    spaces as GPT-2 divides it, the most frequent first. Any text is encoded without loss.

    Parameters
    ----------
    batches
        Documents of the training part, in batches of any size.
    vocabulary
        Number of tokens, at least 257.

    Raises
    ------
    AtlasError
        If the documents have too few different pairs for so many tokens.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[SEPARATOR],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(batches, trainer)
    if (found := tokenizer.get_vocab_size()) < vocabulary:
        raise AtlasError(
            f"text.vocabulary is {vocabulary}, but the training part has pairs for only {found} "
            f"tokens; give at most {found}, or a longer text"
        )
    return _plain(tokenizer)


def save_tokenizer(tokenizer: "Tokenizer", path: str | Path) -> None:
    """Write tokenizer.json, whole or not at all."""
    with replacing(path) as unfinished:
        tokenizer.save(str(unfinished))


def load_tokenizer(path: str | Path) -> "Tokenizer":
    """Read tokenizer.json.

    Raises
    ------
    AtlasError
        If it cannot be read.
    """
    from tokenizers import Tokenizer

    require_regular_file(path, "tokenizer")
    try:
        return _plain(Tokenizer.from_file(str(path)))
    except Exception as error:  # What tokenizers raises is of no class of its own.
        raise AtlasError(
            f"{path}: not a readable tokenizer ({said(error)}); delete it and run snakemake again"
        ) from error


def _plain(tokenizer: "Tokenizer") -> "Tokenizer":
    # tokenizer.json does not hold this: a document that speaks of the separator ends nowhere.
    tokenizer.encode_special_tokens = True
    return tokenizer


def transformers_tokenizer(tokenizer: "Tokenizer") -> "PreTrainedTokenizerFast":
    """The tokenizer as a transformers model takes it; encodes and decodes alike."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=SEPARATOR,
        eos_token=SEPARATOR,
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )


def bytes_of_tokens(tokenizer: "Tokenizer") -> NDArray[np.int64]:
    """Bytes of text that each token stands for, int64, shape (vocabulary,); none the separator.

    The sum over the tokens of a text is its length in UTF-8, which bits per byte need.
    """
    # In the vocabulary a character stands for a byte.
    sizes = {token: len(characters) for characters, token in tokenizer.get_vocab().items()}
    sizes[separator_of(tokenizer)] = 0
    return np.array([size for _, size in sorted(sizes.items())], np.int64)


def separator_of(tokenizer: "Tokenizer") -> int:
    """Number of the separator.

    Raises
    ------
    AtlasError
        If the tokenizer has none, so it was not trained here.
    """
    token: int | None = tokenizer.token_to_id(SEPARATOR)
    if token is None:
        raise AtlasError(
            f"the tokenizer has no token {SEPARATOR!r}, so it is not one of this workflow; delete "
            "tokenizer.json and run snakemake again"
        )
    return token
