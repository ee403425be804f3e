import pytest
import torch
from safetensors.torch import save_file

from qatlas.errors import AtlasError
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST, manifest
from qatlas.weights.matrices import Shard, open_shards
from qatlas.weights.snapshot import open_snapshot

MODELS = {"first": {"a": 1.0, "b": 2.0, "c": 3.0}, "second": {"a": 4.0}}


@pytest.fixture
def opened(tmp_path):
    """Function from keys of shards to what is opened of two models that one manifest lists."""
    rows = []
    for model, tensors in MODELS.items():
        (tmp_path / model).mkdir()
        filled = {f"{name}.weight": torch.full((4, 8), value) for name, value in tensors.items()}
        save_file(filled, tmp_path / model / "model.safetensors")
        rows += manifest(open_snapshot(tmp_path / model, model), lambda names: names)
    write_table(rows, MANIFEST, tmp_path / "manifest.parquet")
    frame = read_table(MANIFEST, tmp_path / "manifest.parquet")

    def open_these(*shards, progress=lambda names: names):
        keys = {"include": ("*",), "smallest": 1, "index": 0, "count": 1}
        parts = [Shard(folder=str(tmp_path / s["model"]), **keys | s) for s in shards]
        found = open_shards(frame, parts, progress)
        return [(m.model, m.tensor, float(m.weight[0, 0])) for m in found]

    return open_these


def test_shards_of_several_models_are_read_one_after_another(opened):
    assert opened({"model": "second"}, {"model": "first"}) == [
        ("second", "a.weight", 4.0),
        ("first", "a.weight", 1.0),
        ("first", "b.weight", 2.0),
        ("first", "c.weight", 3.0),
    ]


def test_shards_of_a_model_share_its_matrices(opened):
    halves = [opened({"model": "first", "index": index, "count": 2}) for index in range(2)]
    assert sorted(halves[0] + halves[1]) == opened({"model": "first"})
    assert all(halves)


def test_each_model_has_patterns_of_its_own(opened):
    found = opened({"model": "first", "include": ("b.*",)}, {"model": "second"})
    assert [name for _, name, _ in found] == ["b.weight", "a.weight"]
    with pytest.raises(AtlasError, match="model second: no matrix"):
        opened({"model": "first"}, {"model": "second", "include": ("b.*",)})


def test_progress_is_told_models_and_tensors(opened):
    seen = []
    opened({"model": "second"}, progress=lambda names: (seen.append(n) or n for n in names))
    assert seen == ["second a.weight"]
