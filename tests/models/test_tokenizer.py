import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from qatlas.errors import AtlasError
from qatlas.models import tokens as tokens_module
from qatlas.models.docstrings import docstrings
from qatlas.models.tokenizer import (
    SEPARATOR,
    bytes_of_tokens,
    load_tokenizer,
    save_tokenizer,
    separator_of,
    train_tokenizer,
    transformers_tokenizer,
)
from qatlas.models.tokens import describe, encode, read_tokens, require_one_context, write_tokens

TEXTS = [text for _, text in docstrings("sortedcontainers").texts]
VOCABULARY = 600
TOKENIZER = train_tokenizer([TEXTS], VOCABULARY)

ANY_TEXT = st.lists(
    st.text(max_size=20)
    | st.sampled_from([SEPARATOR, "<|endoftext", "    ", "\0", "\r\n", "naïve"])
).map("".join)


def ids(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_is_encoded_without_loss(text):
    encoded = ids(TOKENIZER, text)
    assert TOKENIZER.decode(encoded, skip_special_tokens=False) == text
    assert separator_of(TOKENIZER) not in encoded
    assert bytes_of_tokens(TOKENIZER)[encoded].sum() == len(text.encode())


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    save_tokenizer(TOKENIZER, path)
    return path


@settings(deadline=None)
@given(text=ANY_TEXT)
def test_a_saved_tokenizer_encodes_alike_here_and_in_transformers(saved, text):
    expected = ids(TOKENIZER, text)
    assert ids(load_tokenizer(saved), text) == expected
    ours = transformers_tokenizer(load_tokenizer(saved))
    assert ours(text, add_special_tokens=False)["input_ids"] == expected
    assert ours.decode(expected) == text
    if SEPARATOR not in text:
        theirs = PreTrainedTokenizerFast(tokenizer_file=str(saved))
        assert theirs(text, add_special_tokens=False)["input_ids"] == expected


def test_transformers_knows_the_separator(saved):
    ours = transformers_tokenizer(load_tokenizer(saved))
    assert len(ours) == VOCABULARY
    assert ours.eos_token_id == ours.bos_token_id == separator_of(TOKENIZER) == 0


def merged(word, pair):
    pieces = []
    for piece in word:
        if pieces and (pieces[-1], piece) == pair:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def test_every_merge_joins_a_most_frequent_pair():
    trained = train_tokenizer([TEXTS[:60]], 300)
    words = Counter(
        word for text in TEXTS[:60] for word, _ in trained.pre_tokenizer.pre_tokenize_str(text)
    )
    divided = {word: list(word) for word in words}
    merges = json.loads(trained.to_str())["model"]["merges"]
    assert len(merges) == 300 - 257
    for pair in map(tuple, merges):
        pairs = Counter()
        for word, times in words.items():
            for neighbours in pairwise(divided[word]):
                pairs[neighbours] += times
        assert pairs[pair] == max(pairs.values())
        divided = {word: merged(pieces, pair) for word, pieces in divided.items()}
    for word, pieces in divided.items():
        assert [token.value for token in trained.model.tokenize(word)] == pieces


def test_the_order_of_documents_and_batches_changes_nothing():
    backwards = train_tokenizer(([text] for text in reversed(TEXTS)), VOCABULARY)
    assert backwards.to_str() == TOKENIZER.to_str()


def test_another_process_with_other_threads_trains_the_same():
    code = (
        "from qatlas.models.docstrings import docstrings\n"
        "from qatlas.models.tokenizer import train_tokenizer\n"
        "texts = [text for _, text in docstrings('sortedcontainers').texts]\n"
        f"print(train_tokenizer([texts], {VOCABULARY}).to_str())"
    )
    environment = os.environ | {"RAYON_NUM_THREADS": "3", "PYTHONHASHSEED": "7"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == json.loads(TOKENIZER.to_str())


def test_a_text_with_too_few_pairs_names_the_key():
    with pytest.raises(AtlasError, match=r"text\.vocabulary is 600, but .* only 2\d\d tokens"):
        train_tokenizer([["short"]], 600)


def test_a_damaged_or_foreign_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(AtlasError, match="not a readable tokenizer"):
        load_tokenizer(tmp_path / "tokenizer.json")
    with pytest.raises(AtlasError, match="not a readable tokenizer"):
        load_tokenizer(tmp_path / "none.json")
    foreign = TOKENIZER.to_str().replace(SEPARATOR, "</s>")
    (tmp_path / "tokenizer.json").write_text(foreign)
    with pytest.raises(AtlasError, match="not one of this workflow"):
        separator_of(load_tokenizer(tmp_path / "tokenizer.json"))


@settings(deadline=None)
@given(st.lists(ANY_TEXT, max_size=7), st.integers(1, 4))
def test_documents_stand_between_separators(texts, batch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens_module, "BATCH", batch)
        encoded = encode(TOKENIZER, texts, lambda starts: starts)
    assert encoded.dtype == np.uint16
    separators = np.flatnonzero(encoded == separator_of(TOKENIZER))
    assert len(separators) == len(texts) + 1
    assert (separators[0], separators[-1]) == (0, len(encoded) - 1)
    pieces = [encoded[a + 1 : b] for a, b in pairwise(separators)]
    assert [TOKENIZER.decode(piece) for piece in pieces] == texts


def test_the_description_counts_tokens_documents_and_bytes():
    encoded = encode(TOKENIZER, TEXTS, lambda starts: starts)
    described = describe(encoded, TOKENIZER)
    assert described["documents"] == len(TEXTS)
    assert described["bytes"] == sum(len(text.encode()) for text in TEXTS)
    assert described["tokens"] == sum(len(ids(TOKENIZER, t)) for t in TEXTS) + len(TEXTS) + 1
    assert described["bytes_per_token"] == described["bytes"] / described["tokens"] > 2
    assert described["unused_tokens"] == VOCABULARY - len(set(encoded.tolist()))


def test_tokens_are_read_as_they_were_written_and_nothing_else_is(tmp_path):
    encoded = encode(TOKENIZER, TEXTS, lambda starts: starts)
    for name in ("first.npy", "second.npy"):
        write_tokens(encoded, tmp_path / name)
    assert np.array_equal(read_tokens(tmp_path / "first.npy"), encoded)
    assert (tmp_path / "first.npy").read_bytes() == (tmp_path / "second.npy").read_bytes()
    np.save(tmp_path / "other.npy", np.zeros((2, 2)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "first.npy").read_bytes()[:-2])
    for name, told in (("other", "holds float64"), ("cut", "not a read"), ("none", "not a read")):
        with pytest.raises(AtlasError, match=told):
            read_tokens(tmp_path / f"{name}.npy")


def test_a_part_shorter_than_one_context_names_the_keys():
    tokens = np.zeros(12, np.uint16)
    require_one_context(tokens, 12, "test")
    with pytest.raises(AtlasError, match=r"test part has 12 tokens, fewer than the 13 .*text\.con"):
        require_one_context(tokens, 13, "test")
