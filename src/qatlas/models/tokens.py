"""Encoded text: one array of tokens a part, and what it was encoded from."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.models.tokenizer import bytes_of_tokens, separator_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Tokens = NDArray[np.uint16]

BATCH = 2048
"""Documents that are encoded at a time; those of a batch share the threads."""


def encode(
    tokenizer: "Tokenizer",
    texts: Sequence[str],
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> Tokens:
    """Tokens of documents, one after the other, with a separator before the first and after each.

    Parameters
    ----------
    tokenizer
        Of at most 65,536 tokens.
    texts
        The documents.
    progress
        Takes the numbers at which batches begin and yields them again; a job shows progress this
        way.

    Returns
    -------
    ndarray
        uint16, shape (tokens,).
    """
    separator = np.array([separator_of(tokenizer)], np.uint16)
    pieces = [separator]
    for start in progress(range(0, len(texts), BATCH)):
        batch = list(texts[start : start + BATCH])
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            pieces += [np.array(encoding.ids, np.uint16), separator]
    return np.concatenate(pieces)


def require_one_context(tokens: Tokens, context: int, part: str) -> None:
    """Refuse a part of a text that is shorter than what a model sees at once.

    Raises
    ------
    AtlasError
        If there are fewer tokens than ``context``.
    """
    if len(tokens) < context:
        raise AtlasError(
            f"text: the {part} part has {len(tokens)} tokens, fewer than the {context} of one "
            "context; give a longer text, a larger text.held_out, or a smaller text.context"
        )


def describe(tokens: Tokens, tokenizer: "Tokenizer") -> dict[str, Any]:
    """Number of tokens, documents and bytes of a part, bytes a token, and its checksum.

    The checksum is the SHA-256 of the tokens as little-endian 16-bit numbers.
    """
    counts = np.bincount(tokens, minlength=tokenizer.get_vocab_size())
    size = int(counts @ bytes_of_tokens(tokenizer))
    return {
        "tokens": len(tokens),
        "documents": int(counts[separator_of(tokenizer)]) - 1,
        "bytes": size,
        "bytes_per_token": size / len(tokens),
        "unused_tokens": int((counts == 0).sum()),
        "sha256": sha256(tokens.astype("<u2").tobytes()).hexdigest(),
    }


def write_tokens(tokens: Tokens, path: str | Path) -> None:
    """Write a .npy file, whole or not at all."""
    with replacing(path) as unfinished:
        np.save(unfinished, tokens, allow_pickle=False)


def read_tokens(path: str | Path) -> Tokens:
    """Tokens of a part, mapped rather than read: uint16, shape (tokens,).

    Raises
    ------
    AtlasError
        If it is no such file.
    """
    try:
        tokens: Tokens = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AtlasError(
            f"{path}: not a readable array of tokens ({error}); delete it and run snakemake again"
        ) from error
    if tokens.dtype != np.uint16 or tokens.ndim != 1:
        raise AtlasError(
            f"{path}: holds {tokens.dtype} of shape {tokens.shape}, not tokens (uint16, one "
            "dimension); delete it and run snakemake again"
        )
    return tokens
