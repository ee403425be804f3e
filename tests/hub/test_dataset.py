"""Datasets of the hub are what the library datasets reads, but for what it would read unsafely."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from qatlas.models.corpus import PARTS
from tests.hub.repositories import lines, write_card
from tests.hub.server import Repository, damaged, missing

DATASET_CORPUS = "qatlas.models.hub_dataset.dataset_corpus"
NAMES = ("train", "validation", "test")
MADE = ("train", "dev", "test")


@pytest.fixture
def made(hub, tmp_path):
    """A further dataset of the hub, from tables by path and the head of its card."""

    def make(tables, head=None, revision="main", name="made"):
        folder = tmp_path / name
        for path, table in tables.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(table, bytes):
                (folder / path).write_bytes(table)
            else:
                pd.DataFrame(table).to_parquet(folder / path)
        if head is not None:
            write_card(folder, head)
        dataset = Repository(f"acme/{name}", folder, kind="datasets", branch=revision)
        hub.repositories.append(dataset)

    return make


def call(name, subset=None, revision="main", column="text", splits=NAMES):
    return name, subset, revision, column, *splits


@pytest.fixture
def read(client):
    def read(*given, settings=None, **named):
        (outcome,) = client.outcomes(DATASET_CORPUS, call(*given, **named), **settings or {})
        return outcome

    return read


def texts(outcome):
    """Texts of every part."""
    made, documents = outcome
    assert made == "made", documents
    rows = list(zip(documents["part"], documents["text"], strict=True))
    return [[text for part, text in rows if part == wanted] for wanted in PARTS]


TABLES = {
    "b/first.parquet": {"text": ["one", None, " \n"], "label": [1, 2, 3]},
    "b/second.parquet": {"text": ["two"], "label": [4]},
    "b/held.parquet": {"text": ["three"], "label": [5]},
    "b/last.parquet": {"text": ["four"], "label": [6]},
    "blank.parquet": {"text": ["", " "]},
}
FILES = [
    {"split": "train", "path": ["b/second.parquet", "b/first.parquet"]},
    {"split": "dev", "path": "b/h*"},
    {"split": "test", "path": "b/last.parquet"},
    {"split": "blank", "path": "blank.parquet"},
]
CARD = {
    "configs": [
        {"config_name": "other", "data_files": "b/first.parquet"},
        {"config_name": "mine", "data_files": FILES, "default": True},
        {"config_name": "lost", "data_files": "lost-*.parquet"},
    ]
}


def test_a_dataset_keeps_its_splits_and_empty_lines_are_left_out(read, hub):
    outcome = read("acme/text", "raw")
    expected = [[line for line in lines(split) if line.strip()] for split in NAMES]
    assert texts(outcome) == expected
    documents = outcome[1]
    assert documents["name"][:3] == ["2", "3", "4"]
    assert documents["source"][0] == "acme/text@main:train"
    hub.requests.clear()
    assert read("acme/text", "raw", settings={"HF_HUB_OFFLINE": "1"}) == outcome
    assert hub.requests == []


def test_the_card_names_the_files_of_each_split(client, made):
    made(TABLES, CARD)
    calls = [call("acme/made", subset, splits=MADE) for subset in ("mine", None)]
    for outcome in client.outcomes(DATASET_CORPUS, *calls):
        assert texts(outcome) == [["two", "one"], ["three"], ["four"]]


LAYOUTS = {
    "whole": ("{}.parquet", None, "main"),
    "data": ("data/{}-00000-of-00001.parquet", None, "main"),
    "subset": ("raw/{}-00000-of-00001.parquet", "raw", "main"),
    "converted": ("raw/{}/0000.parquet", "raw", "refs/convert/parquet"),
    "default": ("default/{}/0000.parquet", None, "refs/convert/parquet"),
}


def test_without_a_card_files_are_known_by_their_names(client, made):
    for name, (place, _, revision) in LAYOUTS.items():
        tables = {place.format(split): {"text": [split]} for split in NAMES}
        made(tables, revision=revision, name=name)
    calls = [call(f"acme/{name}", *rest) for name, (_, *rest) in LAYOUTS.items()]
    for outcome in client.outcomes(DATASET_CORPUS, *calls):
        assert texts(outcome) == [[split] for split in NAMES]


def test_without_a_card_several_folders_are_not_taken_for_one_subset(client, made):
    places = [f"{folder}/{split}/0000.parquet" for folder in ("raw", "tidy") for split in NAMES]
    made({place: {"text": [place]} for place in places}, revision="refs/convert/parquet")
    calls = [call("acme/made", subset, "refs/convert/parquet") for subset in ("raw", None)]
    one, several = client.outcomes(DATASET_CORPUS, *calls)
    assert texts(one) == [[f"raw/{split}/0000.parquet"] for split in NAMES]
    assert several[0] == "refused"
    assert "text.subset: acme/made has no card" in several[1]
    assert "several folders (raw, tidy); name one of them" in several[1]


REFUSED = [
    ({"subset": "lost"}, "text.training: acme/made has no split 'train'; allowed: none"),
    ({"subset": "mind"}, "text.subset: acme/made has no subset 'mind'; did you mean 'mine'?"),
    (
        {"splits": ("train", "deb", "test")},
        "text.validation: acme/made has no split 'deb'; did you mean 'dev'?",
    ),
    ({"splits": ("train", "dev", "blank")}, "has no text in its column 'text'"),
    ({"column": "txt"}, "text.column: acme/made has no column 'txt'; did you mean 'text'?"),
    ({"column": "label"}, "text.column: acme/made: 'label' holds int64, not texts"),
    ({"revision": "absent"}, "text.dataset: dataset acme/made at revision 'absent'"),
    ({"name": "acme/none"}, "there is no such repository, or it is private"),
    ({"name": "acme/none"}, "or name a local text with text.file or text.parquet"),
]


def test_what_a_dataset_does_not_have_names_the_key(client, made):
    made(TABLES, CARD)
    calls = [call(**{"name": "acme/made", "splits": MADE} | changed) for changed, _ in REFUSED]
    for (outcome, message), (_, told) in zip(
        client.outcomes(DATASET_CORPUS, *calls), REFUSED, strict=True
    ):
        assert outcome == "refused"
        assert told in message


OTHERS = {
    "csv": b"text\none\n",
    "tsv": b"label\ttext\n1\tone\n",
    "jsonl": b'{"text": "one"}\n',
    "txt": b"one\n",
}


def test_plain_files_of_other_kinds_are_read(client, made):
    for kind, content in OTHERS.items():
        made({f"{split}.{kind}": content for split in NAMES}, name=kind)
    for outcome in client.outcomes(DATASET_CORPUS, *map(call, [f"acme/{kind}" for kind in OTHERS])):
        assert texts(outcome) == [["one"]] * 3


UNREAD = ("tar", "zip", "pkl", "h5", "csv.zip", "arrow", "png")


def test_files_that_may_hold_anything_are_refused_before_they_are_fetched(client, made, hub):
    for kind in UNREAD:
        made({f"{split}.{kind}": b"a pickle" for split in NAMES}, name=kind.replace(".", "-"))
    calls = [call(f"acme/{kind.replace('.', '-')}") for kind in UNREAD]
    for kind, (outcome, message) in zip(
        UNREAD, client.outcomes(DATASET_CORPUS, *calls), strict=True
    ):
        assert outcome == "refused"
        assert "text.dataset: acme/" in message
        assert "set text.revision to refs/convert/parquet" in message, kind
    assert not [name for name in hub.fetched() if "train" in name]


def test_a_file_is_not_read_as_another_subset_has_it(read, made):
    first = {"config_name": "first", "data_files": "all.tar"}
    head = {"configs": [first, {"config_name": "mine", "data_files": FILES}]}
    made(TABLES | {"all.tar": b"pickles"}, head)
    outcome, message = read("acme/made", "mine", splits=MADE)
    assert outcome == "refused"
    assert "second.parquet, which would be read as webdataset" in message


def test_the_script_of_a_dataset_is_not_run(read, made):
    made({"made.py": b"raise SystemExit('run')", "train.csv": b"text\none\n"})
    outcome, message = read("acme/made")
    assert outcome == "refused"
    assert "Dataset scripts are no longer supported" in message


def test_what_is_in_the_cache_is_not_taken_for_another_commit_or_subset(client, made, hub):
    made(TABLES, CARD)
    given = {"name": "acme/made", "splits": MADE}
    mine, other = call(**given, subset="mine"), call(**given)
    assert client.outcomes(DATASET_CORPUS, mine)[0][0] == "made"
    (outcome, message), again = client.outcomes(DATASET_CORPUS, other, mine, HF_HUB_OFFLINE="1")
    assert outcome == "refused"
    assert "HF_HUB_OFFLINE" in message
    assert again[0] == "made"
    moved = replace(hub.repositories[-1], commit="f" * 40)
    hub.repositories[-1] = moved
    hub.faults["GET", "tree"] = missing
    outcome, message = client.outcomes(DATASET_CORPUS, mine)[0]
    assert outcome == "refused", "another commit was taken for it"


def test_a_card_that_is_damaged_is_no_traceback(client, made, tmp_path):
    nines = [f"{b}: &{b} [{', '.join(9 * ['*' + a])}]" for a, b in pairwise("abcdefghijk")]
    bomb = "\n".join(["a: &a [1]", *nines, "configs: [{config_name: a, data_files: *k}]"])
    heads = (
        "configs: [",
        "configs: {a: 1}",
        "- a",
        "configs: [{data_files: 7}]",
        "configs: [a]",
        bomb,
    )
    for number, head in enumerate(heads):
        made({"held.parquet": {"text": ["one"]}}, name=f"made{number}")
        (tmp_path / f"made{number}" / "README.md").write_text(f"---\n{head}\n---\n")
    calls = [call(f"acme/made{number}") for number in range(len(heads))]
    for outcome, message in client.outcomes(DATASET_CORPUS, *calls):
        assert outcome == "refused"
        assert "text." in message


def test_a_file_outside_of_the_dataset_is_not_read(client, made, hub, tmp_path):
    pd.DataFrame({"text": ["a secret"]}).to_parquet(tmp_path / "secret.parquet")
    places = (
        f"../*/../..{tmp_path}/secret.parquet",
        f"{tmp_path}/secret.parquet",
        f"file://{tmp_path}/secret.parquet",
        f"{hub.endpoint}/secret.parquet",
    )
    for number, place in enumerate(places):
        files = [{"split": split, "path": place} for split in NAMES]
        head = {"configs": [{"config_name": "a", "data_files": files}]}
        made({"train.parquet": {"text": ["one"]}}, head, name=f"made{number}")
    calls = [call(f"acme/made{number}") for number in range(len(places))]
    for outcome, message in client.outcomes(DATASET_CORPUS, *calls):
        assert outcome == "refused"
        assert "which is outside of the dataset" in message


def test_a_damaged_parquet_file_is_refused_and_not_kept(read, hub, client):
    name = "raw/train-00000-of-00001.parquet"
    hub.faults["GET", f"store:{name}"] = damaged
    outcome, message = read("acme/text", "raw")
    assert outcome == "refused"
    assert f"text.dataset: dataset acme/text at revision '{hub.repositories[-1].commit}'" in message
    assert "is not what the hub says" in message
    hub.faults.clear()
    assert read("acme/text", "raw")[0] == "made"


def test_a_file_that_is_no_parquet_is_named(read, made):
    made({f"{split}.parquet": b"PAR1 no more" for split in NAMES})
    outcome, message = read("acme/made")
    assert outcome == "refused"
    assert "text.dataset: acme/made cannot be read by the library datasets" in message
    assert "Parquet magic bytes not found in footer" in message
