import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from qatlas.errors import AtlasError
from qatlas.models.corpus import PARTS
from qatlas.models.texts import dataset_corpus, file_corpus, parquet_corpus

LINES = [f"line {number} of a text" for number in range(40)]


def parts_of(documents):
    return [documents.loc[documents["part"] == part, "text"].tolist() for part in PARTS]


def test_a_file_is_divided_at_its_separator(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(("\r\n\r\n".join(LINES) + "\r\n\r\n").encode())
    documents = file_corpus(str(path), "\n\n", 0.1)
    assert parts_of(documents) == [LINES[:32], LINES[32:36], LINES[36:]]
    assert set(documents["source"]) == {"lines.txt"}
    path.write_text("\n".join(LINES))
    assert file_corpus(str(path), "\n", 0.1).equals(documents)


def test_a_file_that_is_no_text_names_the_key(tmp_path):
    def refusal(separator="\n\n"):
        with pytest.raises(AtlasError) as error:
            file_corpus(str(tmp_path / "text.txt"), separator, 0.05)
        return str(error.value)

    assert "text.file: " in refusal()
    assert "No such file" in refusal()
    (tmp_path / "text.txt").write_bytes("abc\n\nMünchen".encode("latin1"))
    assert "not UTF-8 (byte 6 is 0xfc); convert it" in refusal()
    (tmp_path / "text.txt").write_text("\n \n")
    assert "is empty" in refusal()
    (tmp_path / "text.txt").write_text("\n".join(LINES))
    assert refusal().startswith("text.separator: '\\n\\n' does not occur in ")
    (tmp_path / "text.txt").write_text("one\n\ntwo")
    assert "text.txt has 2 documents" in refusal()


def test_a_column_of_a_parquet_file_is_read_in_its_order(tmp_path):
    path = str(tmp_path / "lines.parquet")
    pd.DataFrame({"line": [*LINES[:5], None, "", *LINES[5:]], "n": range(42)}).to_parquet(path)
    documents = parquet_corpus(path, "line", 0.1)
    assert parts_of(documents) == [LINES[:32], LINES[32:36], LINES[36:]]
    with pytest.raises(
        AtlasError, match=r"text\.column: .* no column 'lines'; did you mean 'line'"
    ):
        parquet_corpus(path, "lines", 0.1)
    with pytest.raises(
        AtlasError, match=r"text\.column: 'n' of .* holds int64, not texts; allowed"
    ):
        parquet_corpus(path, "n", 0.1)


def test_a_file_that_is_no_parquet_names_the_key(tmp_path):
    path = tmp_path / "lines.parquet"
    for content in (b"", b"PAR1 no more"):
        path.write_bytes(content)
        with pytest.raises(AtlasError, match=r"text\.parquet: .* is not a readable parquet file"):
            parquet_corpus(str(path), "text", 0.1)
    with pytest.raises(AtlasError, match=r"text\.parquet: "):
        parquet_corpus(str(tmp_path / "none.parquet"), "text", 0.1)


class Split(dict):
    """As much of a dataset's split as is asked of it."""

    @property
    def column_names(self):
        return list(self)

    @property
    def features(self):
        kinds = {str: "string", int: "int64"}
        return {name: SimpleNamespace(dtype=kinds[type(self[name][-1])]) for name in self}


SPLITS = {
    "train": Split(text=["", " = Title = \n", None, "a line"], label=[0, 1, 2, 3]),
    "valid": Split(text=["more"]),
    "test": Split(text=["last"]),
    "blank": Split(text=["", "  "]),
}
NAMES = {"training": "train", "validation": "valid", "test": "test"}


@pytest.fixture
def hub(monkeypatch):
    """A package named datasets that has one dataset."""

    def load_dataset(path, name, *, split, revision):
        if path != "some/text":
            raise ConnectionError("Couldn't reach the Hub")
        if split not in SPLITS:
            raise ValueError(f'Unknown split "{split}". Should be one of {list(SPLITS)}.')
        assert (name, revision) == ("subset", "main")
        return SPLITS[split]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))


def fetch(dataset="some/text", column="text", **splits):
    return dataset_corpus(dataset, "subset", "main", column, **NAMES | splits)


def test_a_dataset_keeps_its_own_splits(hub):
    documents = fetch()
    assert parts_of(documents) == [[" = Title = \n", "a line"], ["more"], ["last"]]
    assert documents["name"].tolist() == ["2", "4", "1", "1"]
    assert documents["source"].iloc[2] == "some/text@main:valid"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dataset": "other/text"}, r"text\.dataset: .*Couldn't reach.*text\.file"),
        ({"validation": "dev"}, r"split 'dev' \(text\.validation\).*Unknown split"),
        ({"column": "txt"}, r"text\.column: some/text has no column 'txt'; did you mean 'text'"),
        ({"column": "label"}, r"text\.column: 'label' of some/text holds int64, not texts"),
        ({"test": "blank"}, r"text\.test: split 'blank' of some/text has no text"),
    ],
)
def test_a_dataset_that_cannot_be_had_names_the_key(hub, changed, told):
    with pytest.raises(AtlasError, match=told):
        fetch(**changed)


def test_without_the_package_it_is_said_how_to_do_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(AtlasError, match=r"pip install datasets, or name a local .*text\.file"):
        fetch()
