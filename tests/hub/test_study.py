"""The study of Llama 3.2 1B, every section of it, against a small hub that has what it names."""

import json

import pandas as pd
import pytest
import yaml

from tests.hub.repositories import STUDY, repositories_of_study
from tests.hub.server import TOKEN, Hub, serving
from tests.workflow.conftest import copy_project

SMALLER = {
    ("text", "context"): 32,
    ("function", "tokens"): 256,
    ("function", "batch"): 4,
    ("function", "calibration", "sequences"): 8,
    ("function", "calibration", "length"): 32,
    ("lut", "operands", "tokens"): 256,
    ("lut", "language_models", "tokens"): 64,
    ("geometry", "draws"): 100,
    ("geometry", "manifolds"): {"points": 16, "error_points": 16, "heat_map": {"side": 5}},
    ("geometry", "fake_quantization"): {"points": 16},
    ("geometry", "correction"): {"grid_side": 15, "circle_points": 32, "area_samples": 1000},
    ("geometry", "layers", "directions"): 16,
    ("geometry", "layers", "clusters"): 2,
    ("geometry", "layers", "tokens"): 256,
}
"""Keys that say how much is measured, and nothing of what."""


def smaller(study):
    """The study with less text, one job a model, and no more codecs than its sections name.

    Sampled models are of 128 x 128 weights. Of the codecs those stay that are named by another
    section than the function's series, and of these the last.
    """
    for keys, value in SMALLER.items():
        section = study
        for key in keys[:-1]:
            section = section[key]
        section[keys[-1]] = value
    for model in study["models"].values():
        if "hub" in model:
            model["shards"] = 1
        else:
            model |= {"rows": 128, "columns": 128}
    function, chapter = study["function"], study["rate_distortion"]
    lines = {name for name in study["robustness"]["lines"].values() if name in study["codecs"]}
    named = {chapter["by_tensor"], chapter["by_channel"], *lines, function["series"][-1]}
    function["series"] = [n for n in function["series"] if n in named]
    study["codecs"] = {name: grid for name, grid in study["codecs"].items() if name in named}
    return study


@pytest.mark.slow
def test_the_whole_study_of_llama_is_built_from_a_hub(tmp_path, monkeypatch):
    described = yaml.safe_load(STUDY.read_text())
    sections = set(described)
    study = smaller(described)
    assert set(study) == sections
    checkout = copy_project(tmp_path / "project")
    (checkout.folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    with serving(Hub(repositories_of_study(tmp_path / "hub"))) as hub:
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        run = checkout.snakemake("--dry-run", config="study.yaml")
        assert run.returncode == 0, run.stdout
        assert hub.requests == [], "something was fetched before any job"

        snapshot = "results/weights/llama-3.2-1b/snapshot"
        refused = checkout.snakemake(snapshot, config="study.yaml")
        assert refused.returncode != 0
        assert "model meta-llama/Llama-3.2-1B at revision" in refused.stdout
        assert "accept its terms on its page, then set HF_TOKEN" in refused.stdout
        assert "Traceback" not in refused.stdout.split("Logfile")[0]
        assert not (checkout.folder / snapshot).exists()

        monkeypatch.setenv("HF_TOKEN", TOKEN)
        run = checkout.snakemake(config="study.yaml")
        assert run.returncode == 0, run.stdout
    results = checkout.folder / "results"

    manifests = pd.read_parquet(results / "weights/tables/manifests.parquet")
    assert {"llama-3.2-1b", "llama-3.2-1b-instruct"} <= set(manifests.model)
    evaluations = pd.read_parquet(results / "function/tables/evaluations.parquet")
    found = evaluations.set_index("series").loc[["instruct_awq", "instruct_gptq"]]
    assert list(found.model) == ["instruct", "instruct"]
    assert list(found.codec) == ["checkpoint_awq", "checkpoint_gptq"]
    assert found.rate_bits_per_weight.between(4, 6).all()
    assert (found.mean_kl > 0).all()
    assert set(evaluations.model) == {"base", "instruct"}
    robustness = pd.read_parquet(results / "function/robustness/robustness.parquet")
    assert set(robustness.bit_width) == set(study["robustness"]["bit_widths"])
    text = json.loads((results / "models/text/manifest.json").read_text())
    assert set(text["parts"]) == {"training", "validation", "test"}
    assert (results / "paper/paper.pdf").is_file()
