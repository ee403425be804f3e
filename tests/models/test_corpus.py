import copy
import random
from hashlib import sha256
from importlib.metadata import Distribution
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.models.corpus import (
    DOCUMENTS,
    PARTS,
    docstring_corpus,
    held_out_end,
    manifest,
    write_manifest,
)
from qatlas.models.docstrings import Docstrings
from qatlas.tables import read_table, write_table

LOCKED = (["sortedcontainers", "idna"], ["tabulate"], ["pluggy"])


def corpus(*parts):
    return docstring_corpus(*parts, progress=lambda packages: packages)


def source(*docs):
    return "\n".join(f'def f{number}():\n    """{doc}"""' for number, doc in enumerate(docs))


def texts_of(documents, part):
    return documents.loc[documents["part"] == part, "text"].tolist()


@pytest.fixture
def three(install):
    install("one", {"one.py": source("a", "b", "shared", "a")})
    install("two", {"two.py": source("c", "shared", "held out twice")}, folder="second")
    install("three", {"three.py": source("d", "held out twice")}, folder="third")


def test_each_text_stands_once_and_what_is_trained_on_is_not_held_out(three):
    documents = corpus(["one"], ["two"], ["three"])
    assert {part: set(texts_of(documents, part)) for part in PARTS} == {
        "training": {"a", "b", "shared"},
        "validation": {"c", "held out twice"},
        "test": {"d"},
    }
    assert documents["text"].is_unique
    assert set(documents["source"]) == {"one==1.0", "two==1.0", "three==1.0"}
    named = documents.set_index("text")["name"]
    assert (named["a"], named["held out twice"]) == ("one.py:f0", "two.py:f2")


def test_a_part_without_a_text_of_its_own_is_refused(install):
    install("one", {"one.py": source("a", "b")})
    install("two", {"two.py": source("b")}, folder="second")
    install("three", {"three.py": source("c")}, folder="third")
    with pytest.raises(AtlasError, match=r"text\.test: all docstrings of two stand in packages"):
        corpus(["one"], ["three"], ["two"])


def test_the_order_of_files_on_the_disk_or_in_the_record_changes_nothing(install):
    files = {f"noun/m{i}.py": source(*(f"{i} {j}" for j in range(5))) for i in range(9)}
    install("held", {"held.py": source("validation")}, folder="held")
    install("kept", {"kept.py": source("test")}, folder="kept")
    shuffled = list(files.items())
    random.Random(1).shuffle(shuffled)
    found = []
    for folder, order in (("forwards", files.items()), ("shuffled", shuffled)):
        install("noun", dict(order), folder=folder)
        found.append(corpus(["noun"], ["held"], ["kept"]))
    assert len(found[0]) == 47
    pd.testing.assert_frame_equal(*found)


def test_locked_packages_give_the_same_checksum_each_time_and_in_any_order():
    documents = corpus(*LOCKED)
    recorded = manifest(documents)
    training, validation, test = LOCKED
    files = Distribution.files.fget
    with patch.object(Distribution, "files", property(lambda found: files(found)[::-1])):
        again = corpus(training[::-1], validation, test)
    assert manifest(again) == recorded
    assert again.equals(documents)
    assert recorded["parts"]["training"]["bytes"] > 40_000


def test_no_held_out_document_of_locked_packages_is_trained_on():
    documents = corpus(*LOCKED)
    seen = {part: set(texts_of(documents, part)) for part in PARTS}
    assert all(seen.values())
    assert not seen["training"] & (seen["validation"] | seen["test"])
    assert not seen["validation"] & seen["test"]


PACKAGES = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=3, max_size=3)


@settings(deadline=None, max_examples=50)
@given(PACKAGES, st.randoms(use_true_random=False))
def test_whatever_packages_share_every_text_stands_in_one_part(packages, shuffler):
    # Each package says one thing that no other says, so that no part is empty.
    said = {p: [f"only {p}", *texts] for p, texts in zip("xyz", packages, strict=True)}

    def of(package):
        texts = copy.copy(said[package])
        shuffler.shuffle(texts)
        return Docstrings(f"{package}==1", tuple((f"f{text}", text) for text in texts))

    with patch("qatlas.models.corpus.docstrings", of):
        documents = corpus("x", "y", "z")
        assert documents.equals(corpus("x", "y", "z"))
    assert sorted(documents["text"]) == sorted(set().union(*said.values()))
    assert set(texts_of(documents, "training")) == set(said["x"])
    assert set(texts_of(documents, "validation")) == set(said["y"]) - set(said["x"])


def test_a_corpus_is_a_table_and_is_read_as_it_was_written(three, tmp_path):
    documents = corpus(["one"], ["two"], ["three"])
    write_table(documents, DOCUMENTS, tmp_path / "documents.parquet")
    assert read_table(DOCUMENTS, tmp_path / "documents.parquet").equals(documents)


def test_the_manifest_counts_and_hashes_what_there_is(three, tmp_path):
    documents = corpus(["one"], ["two"], ["three"])
    recorded = manifest(documents)
    training = recorded["parts"]["training"]
    assert (training["documents"], training["bytes"]) == (3, len("ab" + "shared"))
    assert training["sources"] == {"one==1.0": {"documents": 3, "bytes": 8}}
    digests = b"".join(sha256(t.encode()).digest() for t in texts_of(documents, "training"))
    assert training["sha256"] == sha256(digests).hexdigest()
    other = documents.assign(text=documents["text"].replace("d", "D"))
    assert manifest(other)["parts"]["training"] == training
    assert manifest(other)["sha256"] != recorded["sha256"]
    for name in ("a.json", "b.json"):
        write_manifest(recorded, tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


# A quarter of the bytes is never in the last two documents alone.
DOCUMENT = st.text("abé", min_size=10, max_size=15)


@settings(deadline=None)
@given(st.lists(DOCUMENT | st.sampled_from(["", " \n"]), max_size=40), st.floats(0.01, 0.25))
def test_the_end_of_a_text_is_held_out_and_nothing_is_lost(texts, held_out):
    texts = ["of ten to fifteen"] * 20 + texts
    documents = held_out_end(texts, "a text", held_out, "text.file")
    assert documents["text"].tolist() == [text for text in texts if text.strip()]
    assert documents["part"].tolist() == sorted(documents["part"], key=PARTS.index)
    assert [texts[int(number) - 1] for number in documents["name"]] == documents["text"].tolist()
    sizes = documents["text"].map(lambda text: len(text.encode()))
    for part in ("validation", "test"):
        held = sizes[documents["part"] == part]
        assert held.sum() >= held_out * sizes.sum()
        assert len(held) == 1 or held.iloc[1:].sum() < held_out * sizes.sum()


@pytest.mark.parametrize("texts", [[], ["  "], ["a", "b"], ["a", "\n", "b", ""]])
def test_a_text_of_too_few_documents_is_refused(texts):
    with pytest.raises(AtlasError, match=r"text\.parquet: t\.parquet has \d documents"):
        held_out_end(texts, "t.parquet", 0.05, "text.parquet")
