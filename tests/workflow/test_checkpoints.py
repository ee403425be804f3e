"""A quantized checkpoint added to a finished study."""

import json

import pandas as pd
import pytest
import yaml

from qatlas.models.architectures.build import load
from tests.models.packers import gptq, gptq_config, only_tensors, write_checkpoint
from tests.workflow.test_study import rules_of

pytestmark = pytest.mark.xdist_group("study")

TABLE = "results/function/tables/evaluations.parquet"


def add(checkout, training):
    """Quantize a training of the study's model, and add it as a checkpoint of its training 0."""
    model = load(checkout.folder / f"resources/models/llama-{training}")
    quantize = only_tensors(gptq(4, 32, "gptq"))
    write_checkpoint(checkout.folder / "theirs", model, quantize, gptq_config(4, "gptq"))
    path = checkout.folder / "config/smoke.yaml"
    described = yaml.safe_load(path.read_text())
    described["function"]["checkpoints"] = {"theirs": {"folder": "theirs", "base": "llama"}}
    path.write_text(yaml.safe_dump(described, sort_keys=False))


@pytest.mark.slow
def test_a_checkpoint_is_all_that_is_measured_and_joins_the_tables(edited):
    before = pd.read_parquet(edited.folder / TABLE)
    add(edited, 0)
    jobs = edited.jobs()
    assert [wildcards for rule, wildcards in jobs if rule == "checkpoint"] == ["checkpoint=theirs"]
    assert rules_of(jobs) <= {
        "checkpoint",
        "function_tables",
        "function_summary",
        "function_figure",
        "robustness",
        "robustness_figure",
        "provenance",
        "runtimes",
        "values",
        "paper",
        "latex_kit",
        "explorer",
        "all",
    }
    run = edited.snakemake("function")
    assert run.returncode == 0, run.stdout
    after = pd.read_parquet(edited.folder / TABLE)
    (row,) = after[after.series == "theirs"].to_dict("records")
    assert row["codec"] == "checkpoint_gptq"
    assert 4 < row["rate_bits_per_weight"] < 5
    assert 0 < row["mean_kl"] < 0.1
    others = after[after.series != "theirs"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, before.reset_index(drop=True))
    summary = json.loads((edited.folder / "results/function/summary.json").read_text())
    assert summary["values"]["llama.theirs.4bit.mean_kl"]["value"] == row["mean_kl"]


def test_the_checkpoint_of_another_training_is_refused_in_words(edited):
    add(edited, 1)
    run = edited.snakemake(TABLE)
    assert run.returncode != 0
    assert "embed_tokens.weight in theirs is not that of llama" in run.stdout
    assert "Traceback" not in run.stdout.split("Logfile")[0]
