import json
from hashlib import sha256
from math import prod

import pytest
from llama_checkpoint import (
    LLAMA_3_2_1B,
    LLAMAS,
    number_of_parameters,
    scaled,
    write_checkpoint,
)
from safetensors import safe_open

from qatlas.weights.manifest import manifest, matrices
from qatlas.weights.snapshot import open_snapshot

SMALL = LLAMA_3_2_1B | {
    "vocab_size": 501,
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    write_checkpoint(folder, SMALL, seed=3)
    return folder


@pytest.mark.parametrize("tied", [True, False])
def test_parameters_are_those_that_the_headers_of_the_files_count(tmp_path, tied):
    shape = SMALL | {"tie_word_embeddings": tied}
    write_checkpoint(tmp_path, shape)
    stored = open_snapshot(tmp_path, "llama").tensors
    assert sum(tensor.weights for tensor in stored.values()) == number_of_parameters(shape)


def test_tensors_are_named_and_shaped_as_in_llama(written):
    stored = open_snapshot(written, "llama").tensors
    assert {tensor.dtype for tensor in stored.values()} == {"bfloat16"}
    shapes = {name: tensor.shape for name, tensor in stored.items()}
    assert shapes["model.embed_tokens.weight"] == (501, 128)
    assert shapes["model.layers.1.self_attn.k_proj.weight"] == (64, 128)
    assert shapes["model.layers.0.mlp.down_proj.weight"] == (128, 384)
    assert "lm_head.weight" not in shapes
    assert len(shapes) == 2 * 9 + 2


def test_the_workflow_takes_it_for_a_llama(written):
    import pandas as pd

    rows = pd.DataFrame(manifest(open_snapshot(written, "llama"), iter))
    assert set(rows["role_from"]) == {"architecture"}
    assert len(matrices(rows, ("*",), 1)) == 2 * 7 + 1
    assert json.loads((written / "config.json").read_text())["model_type"] == "llama"


def bytes_of(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(written, tmp_path):
    for name, seed in (("same", 3), ("other", 4)):
        write_checkpoint(tmp_path / name, SMALL, seed)
    assert bytes_of(tmp_path / "same") == bytes_of(written)
    assert bytes_of(tmp_path / "other").keys() == bytes_of(written).keys()
    weights = "model.safetensors"
    assert bytes_of(tmp_path / "other")[weights] != bytes_of(written)[weights]


def test_every_tensor_has_a_scale_of_its_own_about_the_usual_one(written):
    with safe_open(written / "model.safetensors", "pt") as stored:
        scales = [
            float(stored.get_tensor(name).float().std()) * stored.get_tensor(name).shape[-1] ** 0.5
            for name in stored.keys()  # noqa: SIM118 -- it is no mapping
            if len(stored.get_slice(name).get_shape()) == 2
        ]
    assert len({round(scale, 3) for scale in scales}) == len(scales)
    assert 0.3 < min(scales) < max(scales) < 3


def test_a_checkpoint_larger_than_a_file_is_sharded(tmp_path, monkeypatch):
    monkeypatch.setattr("llama_checkpoint._SHARD", "200KB")
    write_checkpoint(tmp_path, SMALL)
    snapshot = open_snapshot(tmp_path, "llama")
    assert len({tensor.file for tensor in snapshot.tensors.values()}) > 2
    assert sum(tensor.weights for tensor in snapshot.tensors.values()) == number_of_parameters(
        SMALL
    )


@pytest.mark.parametrize("wanted", [20e6, 40e6, 80e6, 160e6, 8e9])
def test_a_scaled_shape_has_about_the_wanted_parameters(wanted):
    shape = scaled(wanted)
    assert number_of_parameters(shape) == pytest.approx(wanted, rel=0.1)
    assert shape["hidden_size"] == shape["num_attention_heads"] * shape["head_dim"]
    assert shape["num_attention_heads"] % shape["num_key_value_heads"] == 0
    embeddings = prod((shape["vocab_size"], shape["hidden_size"]))
    assert embeddings / number_of_parameters(shape) == pytest.approx(0.21, abs=0.01)


def test_scaled_to_its_own_size_it_is_itself():
    assert scaled(number_of_parameters(LLAMA_3_2_1B)) == LLAMA_3_2_1B


def test_parameters_of_the_models_are_those_of_their_names():
    """As the hub counts them."""
    billions = [number_of_parameters(shape) / 1e9 for shape in LLAMAS.values()]
    assert billions == pytest.approx([1.2358, 8.0303, 70.554, 405.85], rel=1e-4)
