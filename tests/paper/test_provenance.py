import json
import os
import platform
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.paper.provenance import provenance, write_provenance

ROOT = Path(__file__).parents[2]
COMMIT = {"commit": "0123abc", "dirty": False}


@pytest.fixture
def record(tmp_path):
    (tmp_path / "lock.txt").write_text("torch==2.0\n")
    for model, files in {"one": ["b", "a"], "many": ["model"]}.items():
        (tmp_path / model).mkdir()
        (tmp_path / model / "config.json").write_text("{}")
        for file in files:
            (tmp_path / model / f"{file}.safetensors").write_bytes(f"{model} {file}".encode())

    text = tmp_path / "manifest.json"
    text.write_text(json.dumps({"parts": {"test": {"documents": 3, "sha256": "89ab"}}}))

    def record_of(study):
        snapshots = {model: tmp_path / model for model in ("one", "many")}
        return provenance(study, COMMIT, snapshots, text, tmp_path / "lock.txt")

    return record_of


def test_checkpoints_text_and_lock_file_are_recorded_by_checksum(record):
    found = record({"seed": 1})
    assert found["text"] == {"test": "89ab"}
    assert found["lock_sha256"] == sha256(b"torch==2.0\n").hexdigest()
    assert found["checkpoints"] == {
        "one": {
            "a.safetensors": sha256(b"one a").hexdigest(),
            "b.safetensors": sha256(b"one b").hexdigest(),
        },
        "many": {"model.safetensors": sha256(b"many model").hexdigest()},
    }


def test_commit_versions_and_machine_are_recorded(record):
    found = record({"seed": 1})
    assert {key: found[key] for key in COMMIT} == COMMIT
    assert found["python"] == platform.python_version()
    for package in ("torch", "numpy", "pandas", "numba"):
        assert found["packages"][package] == version(package)
    assert found["machine"]["cores"] == os.cpu_count()
    assert found["machine"]["processor"]


def test_the_configuration_is_recorded_with_a_hash_that_its_order_does_not_change(record):
    one = record({"seed": 1, "models": {"a": 1, "b": 2}})
    turned = record({"models": {"b": 2, "a": 1}, "seed": 1})
    other = record({"seed": 2, "models": {"a": 1, "b": 2}})
    assert one["config"] == {"seed": 1, "models": {"a": 1, "b": 2}}
    assert one["config_sha256"] == turned["config_sha256"] != other["config_sha256"]


def test_the_record_is_json_with_sorted_keys_and_the_same_bytes_twice(record, tmp_path):
    for name in ("first", "second"):
        write_provenance(record({"seed": 1}), tmp_path / name)
    text = (tmp_path / "first").read_text()
    assert text == (tmp_path / "second").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert json.loads(text) == record({"seed": 1})


@pytest.mark.parametrize("name", ["config.yaml", "config/smoke.yaml", "config/llama-3.2-1b.yaml"])
def test_a_study_is_read_back_from_its_record_in_its_order(record, tmp_path, name):
    study = load(yaml.safe_load((ROOT / name).read_text()))
    write_provenance(record(study.model_dump(mode="json")), tmp_path / "provenance.json")
    recorded = json.loads((tmp_path / "provenance.json").read_text())["config"]
    again = load(recorded)
    assert again == study
    assert json.dumps(again.model_dump(mode="json")) == json.dumps(study.model_dump(mode="json"))
    assert list(again.codecs) == list(study.codecs)
