"""A language model of a folder, with its own tokenizer, and the text as it reads it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.foreign_files import read_json_object
from qatlas.models.architectures.build import load
from qatlas.models.card import CARD, read_card
from qatlas.models.tokenizer import load_tokenizer
from qatlas.models.windows import Text
from qatlas.seeds import generator

TOKENIZER = "tokenizer.json"
_LARGEST_TOKEN = 2**24


@dataclass(frozen=True)
class Reader:
    """A tokenizer, and what stands between documents.

    Attributes
    ----------
    tokenizer
        Of the tokenizers library.
    separator
        Token before the first and after every document.
    token_bytes
        Bytes of text that each token stands for, int64, shape (vocabulary,); none for special
        tokens.
    """

    tokenizer: Any
    separator: int
    token_bytes: NDArray[np.int64]


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model on the CPU that computes in float32, and its reader."""

    model: Any
    reader: Reader


def open_language_model(folder: str | Path) -> LanguageModel:
    """Load a model and its tokenizer.

    Most checkpoints are stored in bfloat16. To compute in it would round what is measured, weights
    of eight bits and the output; float32 holds all of its numbers.

    Raises
    ------
    AtlasError
        If the folder holds no causal language model or no tokenizer, or one that the model was
        not trained with, or with tokens that the model does not know.
    """
    model, reader = load(folder), open_reader(folder)
    known = model.get_input_embeddings().num_embeddings
    if (largest := len(reader.token_bytes) - 1) >= known:
        raise AtlasError(
            f"{Path(folder) / TOKENIZER}: has a token of number {largest}, and the model {known} "
            "embeddings; put back the tokenizer that the model came with"
        )
    return LanguageModel(model.float(), reader)


def open_reader(folder: str | Path) -> Reader:
    """The tokenizer of a model's folder.

    Raises
    ------
    AtlasError
        If there is none, or the model's card says that it was trained with another, or no token
        stands for the end of a text.
    """
    path = Path(folder) / TOKENIZER
    tokenizer = load_tokenizer(path)
    vocabulary = tokenizer.get_vocab()
    if not vocabulary or max(vocabulary.values()) > _LARGEST_TOKEN:
        raise AtlasError(
            f"{path}: has {len(vocabulary)} tokens, numbered up to "
            f"{max(vocabulary.values(), default=0)}; allowed are 1 to {_LARGEST_TOKEN}; put back "
            "the tokenizer that the model came with"
        )
    if (Path(folder) / CARD).is_file():
        expected, found = read_card(folder).sha256["tokenizer"], _sha256(path)
        if found != expected:
            raise AtlasError(
                f"{path}: its SHA-256 is {found}, but the model was trained with {expected}; put "
                "back the tokenizer that the model came with"
            )
    return Reader(tokenizer, _separator(Path(folder), tokenizer), _bytes_of_tokens(tokenizer))


def part_of_text(
    documents: pd.DataFrame, part: str, reader: Reader, tokens: int, seed: int
) -> Text:
    """Documents of a part in random order, up to a number of tokens.

    Parameters
    ----------
    documents
        A ``DOCUMENTS`` table.
    part
        One of its parts.
    tokens
        How many; the last document is cut off there.
    seed
        Of the order, from which also the part derives.

    Raises
    ------
    AtlasError
        If the part has fewer tokens.
    """
    texts = documents.loc[documents["part"] == part, "text"].to_numpy()
    found = [reader.separator]
    for place in generator(seed, "documents", part).permutation(len(texts)):
        if len(found) >= tokens:
            break
        encoding = reader.tokenizer.encode(texts[place], add_special_tokens=False)
        found += [*encoding.ids, reader.separator]
    if len(found) < tokens:
        raise AtlasError(
            f"text: the {part} part has {len(found)} tokens, fewer than the {tokens} that are "
            "asked for; give a longer text, or ask for fewer (function.tokens, "
            "function.calibration, lut.operands.tokens, lut.language_models.tokens)"
        )
    return Text(np.array(found[:tokens], np.uint32), reader.token_bytes)


def _separator(folder: Path, tokenizer: Any) -> int:
    path = folder / "tokenizer_config.json"
    remedy = "it says which token ends a text; take the whole folder of the model"
    described = read_json_object(path, str(folder), remedy)
    for key in ("eos_token", "bos_token"):
        named = described.get(key)
        name = named.get("content") if isinstance(named, dict) else named
        token: int | None = tokenizer.token_to_id(name) if isinstance(name, str) else None
        if token is not None:
            return token
    raise AtlasError(f"{path}: neither eos_token nor bos_token names a token of {TOKENIZER}")


def _bytes_of_tokens(tokenizer: Any) -> NDArray[np.int64]:
    described = json.loads(tokenizer.to_str())
    special = {token["id"] for token in described["added_tokens"] if token["special"]}
    length = len if _on_bytes(described) else _utf8_length
    vocabulary = tokenizer.get_vocab()
    # Numbers may have gaps.
    sizes = np.zeros(1 + max(vocabulary.values()), np.int64)
    for characters, token in vocabulary.items():
        sizes[token] = 0 if token in special else length(characters)
    return sizes


def _on_bytes(described: dict[str, Any]) -> bool:
    """Whether a character of the vocabulary stands for a byte, as in GPT-2."""
    decoder = described["decoder"] or {}
    parts = decoder.get("decoders", [decoder])
    return any(part.get("type") == "ByteLevel" for part in parts)


def _utf8_length(characters: str) -> int:
    """Bytes of a token of SentencePiece: a single one as <0x0A>, and a space as U+2581."""
    if len(characters) == len("<0x0A>") and characters.startswith("<0x"):
        return 1
    return len(characters.replace("\u2581", " ").encode())


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
