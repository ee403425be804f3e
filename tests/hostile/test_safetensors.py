"""Checkpoints whose files are broken, or lie about what is in them."""

import json
import os
import pickle
import struct
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from qatlas.errors import AtlasError
from qatlas.weights.manifest import manifest
from qatlas.weights.snapshot import (
    INDEX,
    link_snapshot,
    open_snapshot,
    require_own_files,
)
from tests.hostile.conftest import (
    readable_refusal,
    safetensors_bytes,
    tensor,
    write_checkpoint,
)

GOOD = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones(5, np.float16)}
WHOLE = "model.safetensors"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


class Runs:
    """What starts a process when it is unpickled."""

    def __reduce__(self):
        return (subprocess.Popen, (["touch", "pwned"],))


def zipped_pickle(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Runs()))
    return path.read_bytes()


def rows_or_refusal(folder):
    """The manifest's rows, or None where the checkpoint is refused by the name of its file."""
    try:
        return described(folder)
    except AtlasError as error:
        refusal = str(error)
    assert WHOLE in refusal
    return None


def described(folder):
    """Everything that is done with a checkpoint until its manifest stands."""
    return manifest(open_snapshot(folder, "theirs"), lambda names: names)


BROKEN_FILES = {
    "an empty file": b"",
    "half a length": b"\x10\0\0",
    "a length alone": struct.pack("<Q", 100),
    "a length of nothing": struct.pack("<Q", 0) + b"{}",
    "a length beyond the file": safetensors_bytes({}, length=10**6),
    "a length beyond memory": safetensors_bytes({}, length=2**63),
    "a length of all bits": safetensors_bytes({}, length=2**64 - 1),
    "a length of 100 MB": safetensors_bytes({}, length=10**8),
    "a header of zeros": safetensors_bytes(bytes(64)),
    "a header that is no UTF-8": safetensors_bytes(b'{"\xff\xfe": 1}'),
    "a header that is a list": safetensors_bytes([1, 2]),
    "a header that is a number": safetensors_bytes(7),
    "a header that is null": safetensors_bytes(None),
    "a header that is cut off": safetensors_bytes(b'{"a": {"dtype": "F32", "shape": [1'),
    "a header with a comma too many": safetensors_bytes(b'{"a": 1,}'),
    "a header nested without end": safetensors_bytes(b'{"a":' * 20000),
    "lists nested without end": safetensors_bytes(b'{"__metadata__": ' + b"[" * 50000),
    "metadata that is no text": safetensors_bytes({"__metadata__": {"format": {"pt": 1}}}),
    "a tensor that is a number": safetensors_bytes({"a": 3}, bytes(16)),
    "a tensor without type": safetensors_bytes({"a": {"shape": [4], "data_offsets": [0, 16]}}),
    "a tensor without shape": safetensors_bytes({"a": {"dtype": "F32", "data_offsets": [0, 16]}}),
    "a tensor without offsets": safetensors_bytes({"a": {"dtype": "F32", "shape": [4]}}),
    "an unknown type": safetensors_bytes({"a": tensor(0, 16, [4], "F31")}, bytes(16)),
    "a type of Python": safetensors_bytes({"a": tensor(0, 16, [4], "object")}, bytes(16)),
    "a type that is a number": safetensors_bytes({"a": tensor(0, 16, [4], 32)}, bytes(16)),
    "a negative side": safetensors_bytes({"a": tensor(0, 16, [-4])}, bytes(16)),
    "half a side": safetensors_bytes({"a": tensor(0, 16, [4.5])}, bytes(16)),
    "a side that is a text": safetensors_bytes({"a": tensor(0, 16, ["4"])}, bytes(16)),
    "a side that is null": safetensors_bytes({"a": tensor(0, 16, [None])}, bytes(16)),
    "a side of 10**30": safetensors_bytes({"a": tensor(0, 16, [10**30])}, bytes(16)),
    "sides whose product overflows": safetensors_bytes(
        {"a": tensor(0, 16, [2**40, 2**40])}, bytes(16)
    ),
    "a size that overflows": safetensors_bytes({"a": tensor(0, 16, [2**62])}, bytes(16)),
    "a terabyte claimed": safetensors_bytes({"a": tensor(0, 2**40, [2**38])}, bytes(16)),
    "more claimed than there is": safetensors_bytes({"a": tensor(0, 32, [8])}, bytes(16)),
    "less claimed than there is": safetensors_bytes({"a": tensor(0, 8, [2])}, bytes(16)),
    "offsets of another size": safetensors_bytes({"a": tensor(0, 16, [5])}, bytes(16)),
    "offsets the wrong way round": safetensors_bytes({"a": tensor(16, 0, [4])}, bytes(16)),
    "negative offsets": safetensors_bytes({"a": tensor(-16, 0, [4])}, bytes(16)),
    "one offset": safetensors_bytes(
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0]}}, bytes(16)
    ),
    "overlapping tensors": safetensors_bytes(
        {"a": tensor(0, 16, [4]), "b": tensor(8, 24, [4])}, bytes(24)
    ),
    "two tensors on the same bytes": safetensors_bytes(
        {"a": tensor(0, 16, [4]), "b": tensor(0, 16, [4])}, bytes(16)
    ),
    "a gap between tensors": safetensors_bytes(
        {"a": tensor(0, 16, [4]), "b": tensor(24, 40, [4])}, bytes(40)
    ),
    "a gap at the start": safetensors_bytes({"a": tensor(8, 24, [4])}, bytes(24)),
    "bytes behind the end": safetensors_bytes({"a": tensor(0, 16, [4])}, bytes(99)),
    "a shape that cannot be strided": safetensors_bytes(
        {"a": tensor(0, 0, [0, 2**63 - 1, 2**40])}, b""
    ),
    "a tensor that is there twice": safetensors_bytes(
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
        b'"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}',
        bytes(16),
    ),
    "a type that is there twice": safetensors_bytes(
        b'{"a":{"dtype":"F32","dtype":"I32","shape":[4],"data_offsets":[0,16]}}', bytes(16)
    ),
    "a type that PyTorch does not read": safetensors_bytes(
        {"a": tensor(0, 12, [16], "F6_E2M3")}, bytes(12)
    ),
    "a pickle": pickle.dumps(Runs()),
    "an old pickle": pickle.dumps(Runs(), protocol=0),
    "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "HTML": b"<!doctype html><html><body>404 not found</body></html>" * 10,
    "gzip": b"\x1f\x8b\x08\0" + bytes(100),
    "GGUF": b"GGUF\x03\0\0\0" + bytes(100),
}


@pytest.mark.parametrize("content", BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_refused_by_its_name(content, tmp_path):
    write_checkpoint(tmp_path, {WHOLE: content})
    with readable_refusal("model theirs", WHOLE):
        described(tmp_path)


def test_a_zipped_pickle_under_another_name_is_refused_and_not_run(tmp_path):
    write_checkpoint(tmp_path, {WHOLE: zipped_pickle(tmp_path / "x")})
    with readable_refusal(WHOLE):
        described(tmp_path)


NAMES = {
    "none": "",
    "a line end": "a\nb",
    "a carriage return": "a\rb",
    "NUL": "a\0b",
    "an escape of the terminal": "\x1b[2J\x1b[31mred",
    "right to left": "a\u202eb",
    "HTML": "<script>alert(1)</script>",
    "an image of HTML": '"><img src=x onerror=alert(1)>',
    "LaTeX": r"\input{/etc/passwd}",
    "a formula": "$x^{$",
    "a quote": 'a"b',
    "an apostrophe": "a'b",
    "a backslash": "a\\b",
    "a brace of Snakemake": "{wildcards.model}",
    "a percent sign": "%s%n",
    "a shell's": "$(touch pwned)",
    "a thousand characters": "x" * 1000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_something_downstream_could_take_for_more_is_refused(name, tmp_path):
    write_checkpoint(tmp_path, {WHOLE: safetensors_bytes({name: tensor(0, 16, [4])}, bytes(16))})
    with readable_refusal(WHOLE, "a tensor that is called"):
        described(tmp_path)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/b", "a b", "model:0", "weiß", "a|b", ".", "con"]
)
def test_a_name_like_a_path_is_only_a_name(name, tmp_path):
    write_checkpoint(tmp_path, {WHOLE: safetensors_bytes({name: tensor(0, 16, [4])}, bytes(16))})
    assert [row["tensor"] for row in described(tmp_path)] == [name]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_weight_that_is_no_number_is_refused(value, dtype, tmp_path):
    weights = np.zeros((4, 4), dtype)
    weights[2, 1] = value
    write_checkpoint(tmp_path, {WHOLE: save({"w": weights})})
    with readable_refusal("'w'", WHOLE, "1 NaN or Inf among 16"):
        described(tmp_path)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0), (0, 0, 7), ()])
def test_an_empty_tensor_is_listed_and_nothing_is_made_of_it(shape, tmp_path):
    write_checkpoint(tmp_path, {WHOLE: save({"w": np.zeros(shape, np.float32)})})
    (row,) = described(tmp_path)
    assert row["weights"] == np.zeros(shape).size


def sharded(folder, places=None, **others):
    first, second = ({name: value} for name, value in GOOD.items())
    known = {"a.weight": SHARDS[0], "b": SHARDS[1]}
    index = {"metadata": {}, "weight_map": known if places is None else places}
    files = {SHARDS[0]: save(first), SHARDS[1]: save(second), INDEX: index}
    return write_checkpoint(folder, files | others)


BROKEN_PLACES = {
    "up": {"a.weight": "../model.safetensors"},
    "up and down": {"a.weight": "x/../../model.safetensors"},
    "absolute": {"a.weight": "/etc/passwd.safetensors"},
    "of another drive": {"a.weight": "C:model.safetensors"},
    "of another system": {"a.weight": "..\\model.safetensors"},
    "a folder": {"a.weight": "x/model.safetensors"},
    "a pickle": {"a.weight": "pytorch_model.bin"},
    "a URL": {"a.weight": "http://example.org/x.safetensors"},
    "with NUL": {"a.weight": "a\0.safetensors"},
    "with a line end": {"a.weight": "a\n.safetensors"},
    "a number": {"a.weight": 3},
    "null": {"a.weight": None},
    "a list": {"a.weight": [SHARDS[0]]},
    "missing": {"a.weight": "model-00009-of-00002.safetensors"},
    "too long for a file": {"a.weight": "x" * 5000 + ".safetensors"},
    "no tensors": {},
    "a list of tensors": ["a.weight"],
    "a text of tensors": "a.weight",
}


@pytest.mark.parametrize("places", BROKEN_PLACES.values(), ids=BROKEN_PLACES)
def test_an_index_that_points_elsewhere_is_refused(places, tmp_path):
    with readable_refusal("model theirs", INDEX):
        described(sharded(tmp_path, places))


BROKEN_JSON = {
    "empty": b"",
    "not UTF-8": b'{"\xff": 1}',
    "nested without end": b"[" * 200_000,
    "objects nested without end": b'{"a":' * 100_000,
    "a list": b"[]",
    "a number": b"1e999",
    "a text": b'"x"',
    "null": b"null",
    "cut off": b'{"weight_map": {"a.weight": "mo',
    "a key twice": b'{"model_type": "bert", "weight_map": {}, "weight_map": {"a": "b"}, '
    b'"model_type": "x"}',
    "a number of 5000 digits": b'{"weight_map": ' + b"9" * 5000 + b', "model_type": 1}',
    "Python": b"{'weight_map': __import__('os').system('touch pwned')}",
    "YAML": b"weight_map: !!python/object/apply:os.system ['touch pwned']",
    "a pickle": pickle.dumps(Runs()),
}


@pytest.mark.parametrize("content", BROKEN_JSON.values(), ids=BROKEN_JSON)
@pytest.mark.parametrize("name", [INDEX, "config.json"])
def test_broken_json_is_refused_by_its_name(name, content, tmp_path):
    sharded(tmp_path, **{name: content})
    with readable_refusal("model theirs", name):
        described(tmp_path)


def test_json_too_large_to_read_is_refused(tmp_path):
    sharded(tmp_path)
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(2**36)
    with readable_refusal("config.json", "bytes"):
        described(tmp_path)


def test_two_files_with_a_tensor_of_one_name_are_refused(tmp_path):
    write_checkpoint(tmp_path, {"one.safetensors": save(GOOD), "two.safetensors": save(GOOD)})
    with readable_refusal("lies in both one.safetensors and two.safetensors"):
        described(tmp_path)


def make_pipe(path):
    os.mkfifo(path)


def make_device(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_pipe, Path.mkdir, make_device])
@pytest.mark.parametrize("name", [WHOLE, SHARDS[0]])
def test_what_is_no_file_is_not_opened(name, make, tmp_path):
    sharded(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    make(tmp_path / name)
    if name == WHOLE:
        (tmp_path / INDEX).unlink()
    with readable_refusal("model theirs", name):
        described(tmp_path)


LINKED = (WHOLE, "config.json", "tokenizer.json", INDEX)


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "../folder/../secret", "loop"])
def test_a_link_out_of_the_folder_is_refused(name, target, tmp_path):
    (tmp_path / "secret").write_text("private")
    folder = write_checkpoint(tmp_path / "folder", {WHOLE: save(GOOD)})
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "away" if target == "loop" else target)
    if target == "loop":
        (tmp_path / "away").symlink_to(folder / name)
    with readable_refusal("models.theirs.path", name, "outside of its folder or missing"):
        require_own_files(folder, "models.theirs.path")


def test_a_folder_that_calls_itself_a_snapshot_may_not_link_anywhere(tmp_path):
    folder = write_checkpoint(tmp_path / "models--a--b/snapshots/0", {WHOLE: save(GOOD)})
    (tmp_path / "models--a--b/blobs").symlink_to("/etc")
    (folder / "config.json").symlink_to("../../blobs/passwd")
    with readable_refusal("config.json", "/etc/passwd"):
        require_own_files(folder, "models.theirs.path")


@pytest.mark.parametrize("shared", [False, True], ids=["own blobs", "shared blobs"])
def test_links_of_the_hubs_cache_are_followed(shared, tmp_path):
    cache = tmp_path / "hub"
    blob = cache / "models--a--b/blobs/0123"
    blob.parent.mkdir(parents=True)
    if shared:
        (cache / "blobs/01").mkdir(parents=True)
        (cache / "blobs/01/89ab").write_bytes(save(GOOD))
        blob.symlink_to("../../blobs/01/89ab")
    else:
        blob.write_bytes(save(GOOD))
    folder = cache / "models--a--b/snapshots/0"
    folder.mkdir(parents=True)
    (folder / WHOLE).symlink_to("../../blobs/0123")
    require_own_files(folder, "models.theirs.path")
    link_snapshot(folder, tmp_path / "links")
    assert len(described(tmp_path / "links")) == len(GOOD)


def test_links_within_a_folder_and_to_a_folder_are_followed(tmp_path):
    folder = write_checkpoint(tmp_path / "real", {"kept": save(GOOD)})
    (folder / WHOLE).symlink_to("kept")
    (tmp_path / "named").symlink_to(folder)
    require_own_files(tmp_path / "named", "models.theirs.path")


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_or_lost_byte_is_refused_or_changes_what_is_read(data, tmp_path):
    content = bytearray(save(GOOD))
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place : place + data.draw(st.integers(1, 40))]
    write_checkpoint(tmp_path, {WHOLE: bytes(content)})
    if (rows := rows_or_refusal(tmp_path)) is None:
        return
    # The library of the format is the oracle of what a sound file holds.
    assert {row["tensor"]: row["weights"] for row in rows} == {
        name: found.size for name, found in load_file(tmp_path / WHOLE).items()
    }


sides = st.one_of(st.integers(-2, 9), st.sampled_from([2**31, 2**62, 2**64, 10**30]))
offsets = st.one_of(st.integers(-4, 80), st.sampled_from([2**32, 2**63, 10**20]))
headers = st.dictionaries(
    st.one_of(st.sampled_from(["a", "b", "__metadata__"]), st.text(max_size=5)),
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "F16", "BF16", "I8", "BOOL", "F4", "C64", "?"]),
                "shape": st.lists(sides, max_size=4),
                "data_offsets": st.lists(offsets, min_size=2, max_size=2),
            }
        ),
    ),
    max_size=3,
)


@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(header=headers, size=st.integers(0, 96))
def test_any_header_is_read_or_refused(header, size, tmp_path):
    written = json.dumps(header).encode()
    write_checkpoint(tmp_path, {WHOLE: safetensors_bytes(written, bytes(size))})
    if (rows := rows_or_refusal(tmp_path)) is not None:
        assert {row["tensor"] for row in rows} == header.keys() - {"__metadata__"}
