"""Broken checkpoints and configurations, met by the workflow itself."""

import subprocess
import sys

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import save_file

from tests.workflow.conftest import ROOT
from tests.workflow.test_inputs import left_behind, write_study

MANIFEST = "results/weights/tiny/manifest.parquet"
WHOLE = "model.safetensors"


@pytest.fixture
def theirs(tmp_path):
    """A checkpoint without a configuration."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    save_file({"w.weight": torch.randn(64, 64)}, folder / WHOLE)
    return folder


def files_outside_of_results(folder):
    """Every file with its size, but for what Snakemake and Python keep for themselves."""
    own = {"results", ".snakemake", "__pycache__"}
    return {
        path: path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not own & {*path.relative_to(folder).parts}
    }


def refused(checkout, *arguments, config):
    """Run; give what was said up to the list of logs, once nothing but logs was written."""
    before = files_outside_of_results(checkout.folder.parent)
    run = checkout.snakemake(*arguments, config=config)
    assert run.returncode != 0
    assert "Traceback" not in run.stdout
    assert files_outside_of_results(checkout.folder.parent) == before
    return run.stdout


def test_a_broken_checkpoint_is_refused_and_a_mended_one_is_built(checkout, theirs):
    config = write_study(checkout, {"path": str(theirs), "smallest": 1})
    sound = (theirs / WHOLE).read_bytes()
    (theirs / WHOLE).write_bytes(sound[:-4])
    assert f"{WHOLE} is truncated" in refused(checkout, MANIFEST, config=config)
    assert not [path for path in left_behind(checkout) if "snapshot" not in path.parts]

    (theirs / WHOLE).unlink()
    (theirs / WHOLE).symlink_to("/etc/passwd")
    (checkout.folder / "results/weights/tiny/snapshot").rename(checkout.folder / "results/old")
    assert "models.tiny.path" in refused(checkout, MANIFEST, config=config)

    (theirs / WHOLE).unlink()
    (theirs / WHOLE).write_bytes(sound)
    run = checkout.snakemake(MANIFEST, config=config)
    assert run.returncode == 0, run.stdout
    assert pd.read_parquet(checkout.folder / MANIFEST).tensor.tolist() == ["w.weight"]


def test_a_file_that_was_missing_is_linked_once_it_is_there(checkout, theirs):
    config = write_study(checkout, {"path": str(theirs), "smallest": 1})
    (theirs / "config.json").write_text("{")
    assert "config.json is not readable JSON" in refused(checkout, MANIFEST, config=config)
    (theirs / "config.json").unlink()
    run = checkout.snakemake(MANIFEST, config=config)
    assert run.returncode == 0, run.stdout


WRITTEN = {
    "a key twice": "seed: 1\nseed: 2\n",
    "a call of Python": "seed: !!python/object/apply:os.system ['touch pwned']\n",
    "a circle": "models: &a [*a]\n",
    "a tab": "models:\n\tx: 1\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_broken_configuration_is_refused_before_any_job(text, checkout):
    (checkout.folder / "theirs.yaml").write_text(text)
    refused(checkout, config="theirs.yaml")
    assert not (checkout.folder / "results").exists()
    assert not (checkout.folder / "pwned").exists()


def test_make_looks_at_a_configuration_before_snakemake_runs_its_templates(tmp_path):
    study = {"__use_yte__": True, "models": "?open('pwned', 'w')"}
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump(study))
    planned = subprocess.run(
        ["make", "--dry-run", "--file", ROOT / "Makefile", "CONFIG=theirs.yaml", "study"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    check, *others = [line for line in planned.stdout.splitlines() if "theirs.yaml" in line]
    assert "-m qatlas.config.check" in check
    assert ["snakemake" in line for line in others] == [True]
    run = subprocess.run(
        [sys.executable, "-m", "qatlas.config.check", tmp_path / "theirs.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"{tmp_path}/theirs.yaml: found __use_yte__; templates run code")
    assert not [*tmp_path.glob("pwned"), *ROOT.glob("pwned")]
