"""What jobs ask of a cluster: memory and time, more at every further attempt, and GPUs."""

import re

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file

from tests.workflow.conftest import ROOT

SENT = ("--workflow-profile", "slurm", "--dry-run", "--forceall")
# Rules whose jobs no target of the study needs.
OTHERS = ("train", "benchmarks", "examples", "results/function/exports/llama-0/nf4.safetensors")
RULE = re.compile(r"^(?:use )?rule (\w+)(?: as (\w+) with)?:\n((?:(?: .*)?\n)+)", re.MULTILINE)


def local_rules():
    """Rules that run where Snakemake does, and targets, which are no jobs."""
    found = set()
    for path in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]:
        for name, heir, body in RULE.findall(path.read_text()):
            inherits = heir and name in found
            target = not heir and "    output:\n" not in body
            if inherits or target or "localrule: True" in body:
                found.add(heir or name)
    return found


def needs(checkout, attempt, *targets, config="config/smoke.yaml"):
    """Resources of the job that asks for most memory, of every rule that is sent to a cluster."""
    run = checkout.snakemake(*SENT, "--attempt", str(attempt), *targets, config=config)
    assert run.returncode == 0, run.stdout
    told, rule = {}, None
    for line in run.stdout.splitlines():
        words = line.split()
        if words[:1] == ["rule"]:
            rule = words[1].rstrip(":")
        elif words[:1] == ["resources:"]:
            asked = dict(word.rstrip(",").split("=") for word in words[1:] if "=" in word)
            told[rule] = max(told.get(rule, asked), asked, key=memory_mb)
    return {rule: asked for rule, asked in told.items() if rule not in local_rules()}


def memory_mb(asked):
    """What a job asks for; before its inputs are there, Snakemake does not know."""
    told = asked.get("mem_mb", "<TBD>")
    return 0 if told == "<TBD>" else int(told)


def test_every_job_of_the_default_study_says_its_memory_and_time(checkout):
    first, third = (
        needs(checkout, attempt, "all", *OTHERS, config="config.yaml") for attempt in (1, 3)
    )
    assert len(first) > 35
    assert first.keys() == third.keys()
    for rule, asked in first.items():
        assert {"mem_mb", "runtime"} <= asked.keys(), rule
        assert int(third[rule]["runtime"]) == 3 * int(asked["runtime"]), rule


@pytest.mark.xdist_group("study")
def test_a_further_attempt_gets_more_memory(study):
    first, second = (needs(study, attempt) for attempt in (1, 2))
    assert len(first) > 30
    for rule, asked in first.items():
        assert int(asked["mem_mb"]) >= 1000, rule
        assert int(second[rule]["mem_mb"]) == pytest.approx(2 * int(asked["mem_mb"]), abs=1), rule


def test_only_what_runs_on_a_gpu_asks_for_one(checkout):
    config = checkout.folder / "config/smoke.yaml"
    described = yaml.safe_load(config.read_text())
    described["function"]["device"] = "cuda"
    config.write_text(yaml.safe_dump(described, sort_keys=False))
    asked = needs(checkout, 1)
    on_gpu = {rule for rule, resources in asked.items() if resources.get("gpu") == "1"}
    assert on_gpu == {"calibration", "evaluation", "sensitivity"}


def test_of_a_checkpoint_the_largest_tensor_counts_also_in_a_folder_of_shards(checkout):
    shards = checkout.folder / "shards"
    shards.mkdir()
    sides = {"first": (64, 8), "second": (5000, 300), "third": (1200, 1200)}
    for name, shape in sides.items():
        tensors = {name: np.zeros(shape, np.float16)}
        save_file(tensors, shards / f"{name}.safetensors", {"format": "pt"})
    config = checkout.folder / "config/smoke.yaml"
    described = yaml.safe_load(config.read_text())
    described["models"]["sharded"] = {"path": str(shards)}
    config.write_text(yaml.safe_dump(described, sort_keys=False))
    manifest = "results/weights/sharded/manifest.parquet"
    assert checkout.snakemake("results/weights/sharded/snapshot").returncode == 0
    # As float32, four times, beside PyTorch.
    expected = 1500 + 4 * 4 * 5000 * 300 / 1e6
    assert int(needs(checkout, 1, manifest)["manifest"]["mem_mb"]) == expected


def test_the_example_of_a_pod_runs_what_fits_into_it(checkout):
    job = yaml.safe_load((ROOT / "profiles/kubernetes/job.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    run = checkout.snakemake("--dry-run", *container["args"])
    assert run.returncode == 0, run.stdout
    granted = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    memory_mb = int(granted["--resources"].removeprefix("mem_mb="))
    limit = container["resources"]["limits"]["memory"]
    assert memory_mb * 1e6 <= int(limit.removesuffix("Gi")) << 30
    assert granted["--cores"] == container["resources"]["requests"]["cpu"]
