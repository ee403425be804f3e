import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from qatlas.errors import AtlasError
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST, manifest, matrices, read_matrix, shard
from qatlas.weights.orientation import as_matrix
from qatlas.weights.snapshot import open_snapshot


def quietly(names):
    return names


def listed(folder: Path, path: Path) -> pd.DataFrame:
    """The manifest of a snapshot, after a round trip through its file."""
    write_table(manifest(open_snapshot(folder, "m"), quietly), MANIFEST, path)
    return read_table(MANIFEST, path)


def test_a_manifest_lists_every_tensor_with_its_bytes(tiny_model, tmp_path):
    folder = tiny_model("mamba")
    frame = listed(folder, tmp_path / "m.parquet")
    stored = load_file(folder / "model.safetensors")
    assert list(frame["tensor"]) == sorted(stored)
    for row in frame.to_dict("records"):
        tensor = stored[row["tensor"]]
        assert row["sha256"] == hashlib.sha256(tensor.numpy().tobytes()).hexdigest()
        assert row["weights"] == tensor.numel() == row["rows"] * row["columns"]
        assert (row["file"], row["dtype"]) == ("model.safetensors", "float32")
        assert row["finite"]
    by_name = frame.set_index("tensor")
    convolution = by_name.loc["backbone.layers.1.mixer.conv1d.weight"]
    assert (convolution["rows"], convolution["columns"], convolution["layer"]) == (32, 4, 1)
    assert by_name.loc["backbone.layers.0.mixer.D", "rows"] == 1
    assert by_name["layer"].isna().sum() == 2  # the embedding and the last norm


def test_progress_sees_every_name(tiny_model):
    snapshot = open_snapshot(tiny_model("llama"), "m")
    seen = []
    manifest(snapshot, lambda names: (seen.append(name) or name for name in names))
    assert seen == list(snapshot.tensors)


def test_matrices_of_gpt2_have_output_channels_as_rows(tiny_model, tmp_path):
    import transformers

    folder = tiny_model("gpt2")
    model = transformers.GPT2LMHeadModel.from_pretrained(folder)
    snapshot = open_snapshot(folder, "gpt2")
    frame = matrices(listed(folder, tmp_path / "m.parquet"), ["*"], 1).set_index("tensor")
    x = torch.randn(3, 16)
    for name in ("attn.c_attn", "mlp.c_fc"):
        layer = model.transformer.h[1].get_submodule(name)
        row = frame.loc[f"transformer.h.1.{name}.weight"]
        matrix = read_matrix(snapshot, row.to_dict() | {"tensor": row.name})
        assert matrix.is_contiguous()
        assert tuple(matrix.shape) == (row["rows"], row["columns"]) == (layer.nf, 16)
        torch.testing.assert_close(torch.nn.functional.linear(x, matrix, layer.bias), layer(x))


def test_what_is_stored_by_output_channels_is_not_copied(tiny_model, tmp_path):
    folder = tiny_model("llama")
    snapshot = open_snapshot(folder, "m")
    for row in matrices(listed(folder, tmp_path / "m.parquet"), ["*"], 1).to_dict("records"):
        stored = snapshot.read(row["tensor"])
        assert read_matrix(snapshot, row).stride() == stored.stride()
        assert torch.equal(read_matrix(snapshot, row), stored)


def test_stacks_and_transposed_convolutions_keep_their_output_channels():
    experts = torch.randn(3, 5, 7)  # three experts of 5 inputs and 7 outputs
    rows = as_matrix(experts, "mlp_gate_up", True)
    assert torch.equal(rows[7 * 2 + 4], experts[2, :, 4])
    upsampling = torch.nn.ConvTranspose1d(4, 6, 2).weight
    assert torch.equal(as_matrix(upsampling, "convolution", True)[5], upsampling[:, 5].flatten())


def test_a_changed_tensor_is_not_read_with_an_old_manifest(tmp_path):
    save_file({"weight": torch.zeros(4, 6)}, tmp_path / "model.safetensors")
    [row] = manifest(open_snapshot(tmp_path, "m"), quietly)
    save_file({"weight": torch.zeros(6, 4)}, tmp_path / "model.safetensors")
    with pytest.raises(AtlasError, match="is 6 x 4, the manifest says 4 x 6"):
        read_matrix(open_snapshot(tmp_path, "m"), row)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float8_e5m2])
def test_nan_and_inf_are_counted_and_named(tmp_path, bad, dtype):
    tensor = torch.ones(2, 5)
    tensor[1, 2:4] = bad
    save_file({"fine": torch.ones(3), "w": tensor.to(dtype)}, tmp_path / "model.safetensors")
    with pytest.raises(AtlasError, match=r"model tiny: tensor 'w' in .*model\.safetensors holds 2"):
        manifest(open_snapshot(tmp_path, "tiny"), quietly)


def test_finite_weights_beyond_float32_and_empty_tensors_are_taken(tmp_path):
    tensors = {"empty": torch.empty(0, 4), "large": torch.full((2, 3), 1e300, dtype=torch.float64)}
    save_file(tensors, tmp_path / "model.safetensors")
    assert len(manifest(open_snapshot(tmp_path, "m"), quietly)) == 2


def test_tensors_longer_than_a_chunk_are_hashed_and_checked_whole(tmp_path):
    tensor = torch.arange(3 * (1 << 22) + 5, dtype=torch.int32).to(torch.float16).clamp(max=6e4)
    save_file({"w": tensor}, tmp_path / "model.safetensors")
    [row] = manifest(open_snapshot(tmp_path, "m"), quietly)
    assert row["sha256"] == hashlib.sha256(tensor.numpy().tobytes()).hexdigest()
    tensor[-1] = torch.nan
    save_file({"w": tensor}, tmp_path / "model.safetensors")
    with pytest.raises(AtlasError, match="holds 1 NaN"):
        manifest(open_snapshot(tmp_path, "m"), quietly)


def store_head(folder: Path, change: float) -> None:
    """Store the tied head too, as some checkpoints do."""
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"] + change
    save_file(tensors, folder / "model.safetensors")


def test_a_tied_head_counts_once(tiny_model, tmp_path):
    folder = tiny_model("gpt2")
    store_head(folder, 0.0)
    frame = listed(folder, tmp_path / "m.parquet")
    assert dict(frame.dropna(subset="tied_to")[["tensor", "tied_to"]].to_numpy()) == {
        "lm_head.weight": "transformer.wte.weight"
    }
    chosen = set(matrices(frame, ["*"], 1)["tensor"])
    assert "transformer.wte.weight" in chosen
    assert "lm_head.weight" not in chosen


def test_a_head_stored_with_other_values_than_its_twin_counts(tiny_model, tmp_path, caplog):
    folder = tiny_model("gpt2")
    store_head(folder, 1.0)
    frame = listed(folder, tmp_path / "m.parquet")
    assert frame["tied_to"].isna().all()
    assert "lm_head.weight is tied to transformer.wte.weight" in caplog.text


def test_a_head_stored_instead_of_its_twin_counts(tiny_model, tmp_path):
    folder = tiny_model("gpt2")
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors.pop("transformer.wte.weight")
    save_file(tensors, folder / "model.safetensors")
    frame = listed(folder, tmp_path / "m.parquet").set_index("tensor")
    assert frame.loc["lm_head.weight", "kind"] == "head"
    assert pd.isna(frame.loc["lm_head.weight", "tied_to"])


def test_tensors_that_the_architecture_lacks_are_marked_one_by_one(tiny_model, tmp_path, caplog):
    folder = tiny_model("llama")
    tensors = load_file(folder / "model.safetensors")
    tensors["value_head.weight"] = torch.ones(1, 16)
    save_file(tensors, folder / "model.safetensors")
    with caplog.at_level(logging.WARNING):
        frame = listed(folder, tmp_path / "m.parquet").set_index("tensor")
    assert list(frame.index[frame["role_from"] == "names"]) == ["value_head.weight"]
    assert "1 tensors are no parameters of the architecture" in caplog.text


FRAME = pd.DataFrame(
    [
        ("h.0.attn", "attention_q", "bfloat16", None, 400),
        ("h.0.mlp", "mlp_up", "float32", None, 900),
        ("h.1.mlp", "mlp_up", "float32", None, 100),
        ("head", "head", "float32", "embed", 800),
        ("norm", "vector", "float32", None, 800),
        ("A_log", "other", "float32", None, 800),
        ("ids", "linear", "int64", None, 800),
        ("fp8", "linear", "float8_e4m3fn", None, 800),
    ],
    columns=["tensor", "kind", "dtype", "tied_to", "weights"],
).assign(model="m")


@pytest.mark.parametrize(
    ("include", "smallest", "names"),
    [
        (["*"], 1, ["h.0.attn", "h.0.mlp", "h.1.mlp"]),
        (["*"], 101, ["h.0.attn", "h.0.mlp"]),
        (["*.mlp", "h.0.*"], 1, ["h.0.attn", "h.0.mlp", "h.1.mlp"]),
        (["h.1.*"], 1, ["h.1.mlp"]),
    ],
)
def test_matrices_are_chosen_by_name_and_size(include, smallest, names):
    assert list(matrices(FRAME, include, smallest)["tensor"]) == names


@pytest.mark.parametrize(("include", "smallest"), [(["H.*"], 1), (["*"], 1000), ([], 1)])
def test_choosing_nothing_is_an_error_that_lists_the_largest(include, smallest):
    with pytest.raises(AtlasError, match=r"model m: .*h\.0\.mlp \(900 weights\)"):
        matrices(FRAME, include, smallest)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(1, 9))
def test_shards_share_out_every_matrix_nearly_equally(weights, count):
    frame = pd.DataFrame({"weights": weights, "tensor": range(len(weights))})
    shards = [shard(frame, index, count) for index in range(count)]
    dealt = [list(part["tensor"]) for part in shards]
    assert sorted(name for names in dealt for name in names) == list(range(len(weights)))
    assert all(names == sorted(names) for names in dealt)
    # The bound of any greedy dealing (Graham 1969), in whole numbers.
    heaviest = max(part["weights"].sum() for part in shards)
    assert count * heaviest <= sum(weights) + (count - 1) * max(weights)
    if len(weights) <= count:
        assert heaviest == max(weights)


def test_shards_depend_on_the_frame_only(tiny_model, tmp_path):
    frame = matrices(listed(tiny_model("llama"), tmp_path / "m.parquet"), ["*"], 1)
    shuffled_index = frame.set_index(np.random.default_rng(0).permutation(len(frame)))
    for index in range(3):
        pd.testing.assert_frame_equal(shard(frame, index, 3), shard(shuffled_index, index, 3))
    with pytest.raises(ValueError, match="no shard 3 of 3"):
        shard(frame, 3, 3)
