"""The pages of docs/ that show what the small study gives, and commands of all pages, run in it."""

import re
import sys

import pytest
import yaml

from qatlas.config.loading import load
from tests.pages import FOLDER, commands
from tests.workflow.conftest import ROOT

sys.path.insert(0, str(FOLDER))
from claims_page import claims_page, read_summaries
from executed import executed

# One worker runs these, so that the study is built once.
pytestmark = pytest.mark.xdist_group("study")


def require_same(name, made, folder):
    """Fail where a page is not what was made of it, with the command that mends it."""
    fresh = folder / name
    fresh.write_text(made)
    assert (FOLDER / name).read_text() == made, f"docs/{name} is stale: cp {fresh} docs/"


def test_the_tutorial_shows_what_its_blocks_print(study, tmp_path, monkeypatch):
    monkeypatch.chdir(study.folder)
    require_same("tutorial.md", executed((FOLDER / "tutorial.md").read_text()), tmp_path)


def test_the_page_of_claims_has_those_of_every_summary(study, tmp_path):
    described = load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))
    summaries = read_summaries(study.folder / "results")
    require_same("claims.md", claims_page(summaries, described), tmp_path)


def test_the_page_of_tables_has_every_table(study):
    explained = re.findall(r"`(results/\S+)`", (FOLDER / "tables.md").read_text())
    made = (study.folder / "results").glob("*/tables/*.parquet")
    assert {str(path.relative_to(study.folder)) for path in made} <= set(explained)


def test_a_finished_study_has_all_that_pages_name(study):
    """Run for real; what is made only when it is asked for has tests of its own."""
    targets = {target for command in commands() for target in command.targets}
    always = {t for t in targets if t not in ("text", "train") and "/exports/" not in t}
    assert {"weights", "figures", "summaries"} <= always
    run = study.snakemake(*sorted(always))
    assert run.returncode == 0, run.stdout
    assert "Nothing to be done" in run.stdout
