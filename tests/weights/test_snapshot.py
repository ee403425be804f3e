import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from qatlas.errors import AtlasError
from qatlas.weights.snapshot import INDEX, StoredTensor, link_snapshot, open_snapshot

TENSORS = {
    "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "c": torch.ones(3, dtype=torch.float16),
    "d": torch.tensor([[1e-300]], dtype=torch.float64),
    "e": torch.tensor([[3, 4]], dtype=torch.int64),
    "f": torch.tensor(True),
}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    folder = tmp_path / "whole"
    folder.mkdir()
    save_file(dict(reversed(TENSORS.items())), folder / "model.safetensors")
    return folder


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    folder = tmp_path / "sharded"
    folder.mkdir()
    places = {}
    for number, names in enumerate(("ace", "bdf"), 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: TENSORS[name] for name in names}, folder / file)
        places |= dict.fromkeys(names, file)
    write_index(folder, places)
    return folder


def write_index(folder: Path, places: dict[str, object]) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def places_of(folder: Path) -> dict[str, str]:
    return json.loads((folder / INDEX).read_text())["weight_map"]


@pytest.mark.parametrize("kind", ["whole", "sharded"])
def test_every_tensor_is_listed_by_name_and_read_bit_for_bit(kind, request):
    snapshot = open_snapshot(request.getfixturevalue(kind), "m")
    assert list(snapshot.tensors) == sorted(TENSORS)
    for name, tensor in TENSORS.items():
        stored = snapshot.tensors[name]
        assert (f"torch.{stored.dtype}", stored.shape) == (str(tensor.dtype), tuple(tensor.shape))
        assert torch.equal(snapshot.read(name), tensor)
        assert snapshot.read(name).dtype == tensor.dtype


def test_a_sharded_snapshot_says_which_file_holds_what(sharded):
    assert open_snapshot(sharded, "m").tensors["b"] == StoredTensor(
        "model-00002-of-00002.safetensors", "bfloat16", (2,)
    )


def test_opening_reads_headers_only(tmp_path):
    size = 1 << 30
    header = json.dumps({"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}})
    padded = header.encode().ljust(-(-len(header) // 8) * 8)
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(len(padded).to_bytes(8, "little") + padded)
        file.truncate(8 + len(padded) + size)
    code = (
        "import resource, sys; from qatlas.weights.snapshot import open_snapshot\n"
        "import torch, safetensors\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "s = open_snapshot(sys.argv[1], 'm'); w = s.read('w'); w[-1].item()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(grown.stdout) < 100_000, "kilobytes for one element of a 1 GiB tensor"


def test_model_safetensors_stands_for_itself_beside_shards(sharded):
    save_file({"z": TENSORS["a"]}, sharded / "model.safetensors")
    assert list(open_snapshot(sharded, "m").tensors) == ["z"]


def refusal(folder: Path) -> str:
    with pytest.raises(AtlasError) as raised:
        open_snapshot(folder, "tiny")
    assert "model tiny" in str(raised.value)
    return str(raised.value)


def test_a_missing_folder_is_named(tmp_path):
    assert str(tmp_path / "none") in refusal(tmp_path / "none")


def test_an_empty_folder_is_refused(tmp_path):
    assert "no *.safetensors" in refusal(tmp_path)


def test_a_missing_shard_is_named_with_its_tensor(sharded):
    (sharded / "model-00002-of-00002.safetensors").unlink()
    message = refusal(sharded)
    assert "'b'" in message
    assert "model-00002-of-00002.safetensors, which is missing" in message


def test_shards_without_their_index_are_refused(sharded):
    (sharded / INDEX).unlink()
    assert f"fetch {INDEX} too" in refusal(sharded)


def test_a_tensor_that_its_shard_does_not_hold_is_named(sharded):
    write_index(sharded, places_of(sharded) | {"absent": "model-00001-of-00002.safetensors"})
    assert "'absent' in model-00001-of-00002.safetensors, which does not hold" in refusal(sharded)


def test_a_tensor_in_another_shard_than_the_index_says_is_named(sharded):
    write_index(sharded, places_of(sharded) | {"a": "model-00002-of-00002.safetensors"})
    assert "'a' in model-00002-of-00002.safetensors, but it lies in" in refusal(sharded)


def test_a_tensor_that_the_index_does_not_name_is_named(sharded):
    places = places_of(sharded)
    del places["e"]
    write_index(sharded, places)
    assert "'e', which" in refusal(sharded)


def test_a_tensor_in_two_shards_is_refused(sharded):
    save_file(
        {name: TENSORS[name] for name in "abdf"}, sharded / "model-00002-of-00002.safetensors"
    )
    message = refusal(sharded)
    assert "'a' lies in both" in message
    assert "model-00001-of-00002.safetensors and model-00002-of-00002.safetensors" in message


@pytest.mark.parametrize(
    "file", ["../model.safetensors", "/etc/model.safetensors", "a/../b.safetensors", "x.bin", 3]
)
def test_an_index_that_points_elsewhere_is_refused(sharded, file):
    write_index(sharded, places_of(sharded) | {"a": file})
    message = refusal(sharded)
    assert repr(file) in message
    assert "in the same folder" in message


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": []}'])
def test_a_damaged_index_is_refused(sharded, text):
    (sharded / INDEX).write_text(text)
    assert INDEX in refusal(sharded)


@pytest.mark.parametrize("kept", [0, 4, 40, -1])
def test_a_truncated_file_is_named(whole, kept):
    path = whole / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert f"{path} is truncated" in refusal(whole)


def test_reading_after_the_file_vanished_names_the_tensor(whole):
    snapshot = open_snapshot(whole, "tiny")
    (whole / "model.safetensors").unlink()
    with pytest.raises(AtlasError, match="tensor 'a' cannot be read from"):
        snapshot.read("a")
    with pytest.raises(AtlasError, match="no tensor 'z'"):
        snapshot.read("z")


@pytest.mark.slow
def test_pickles_are_refused_and_the_command_given_converts_them(tiny_model, tmp_path):
    saved = tiny_model("gpt2")
    expected = open_snapshot(saved, "m")
    state = {name: expected.read(name).clone() for name in expected.tensors}
    torch.save(state, saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    message = refusal(saved)
    assert "pytorch_model.bin" in message
    command = message.splitlines()[1].removeprefix("python ")
    subprocess.run(f"{sys.executable} {command}", shell=True, check=True, capture_output=True)
    converted = open_snapshot(tmp_path / "gpt2-safetensors", "m")
    for name, tensor in state.items():
        assert torch.equal(converted.read(name), tensor)


def test_linking_copies_nothing_and_leaves_the_rest_out(sharded, tmp_path, monkeypatch):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (sharded / name).write_text("{}")
    for name in ("README.md", "data_config.json", "pytorch_model.bin"):
        (sharded / name).write_text("not needed")
    monkeypatch.chdir(tmp_path)
    link_snapshot("sharded", "links/m")
    links = sorted((tmp_path / "links/m").iterdir())
    assert [link.name for link in links] == [
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        INDEX,
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]
    assert all(link.readlink() == sharded / link.name for link in links)
    assert list(open_snapshot(tmp_path / "links/m", "m").tensors) == sorted(TENSORS)


def test_linking_again_follows_the_source(whole, sharded, tmp_path):
    link_snapshot(sharded, tmp_path / "links")
    link_snapshot(whole, tmp_path / "links")
    assert [path.name for path in (tmp_path / "links").iterdir()] == ["model.safetensors"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_interrupted_link_leaves_nothing(whole, tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "symlink_to", interrupt)
    with pytest.raises(KeyboardInterrupt):
        link_snapshot(whole, tmp_path / "links")
    assert os.listdir(tmp_path) == ["whole"]  # noqa: PTH208


def test_linking_never_removes_what_it_did_not_make(whole, tmp_path):
    kept = tmp_path / "links" / "thesis.tex"
    kept.parent.mkdir()
    kept.write_text("years of work")
    with pytest.raises(AtlasError, match=r"thesis\.tex is not a link"):
        link_snapshot(whole, tmp_path / "links")
    assert kept.read_text() == "years of work"


def test_linking_to_a_source_without_weights_is_refused(tmp_path):
    with pytest.raises(AtlasError, match="no folder"):
        link_snapshot(tmp_path / "none", tmp_path / "links")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AtlasError, match=r"no \*\.safetensors"):
        link_snapshot(tmp_path / "empty", tmp_path / "links")
    assert not (tmp_path / "links").exists()
