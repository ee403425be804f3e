import pandas as pd
import pytest

from qatlas.errors import AtlasError
from qatlas.models.corpus import PARTS
from qatlas.models.texts import file_corpus, parquet_corpus

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
    with pytest.raises(AtlasError, match=r"text\.column: .*: 'n' holds int64, not texts; allowed"):
        parquet_corpus(path, "n", 0.1)


def test_a_file_that_is_no_parquet_names_the_key(tmp_path):
    path = tmp_path / "lines.parquet"
    for content in (b"", b"PAR1 no more"):
        path.write_bytes(content)
        with pytest.raises(AtlasError, match=r"text\.parquet: .* is not a readable parquet file"):
            parquet_corpus(str(path), "text", 0.1)
    with pytest.raises(AtlasError, match=r"text\.parquet: "):
        parquet_corpus(str(tmp_path / "none.parquet"), "text", 0.1)
