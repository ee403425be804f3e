import json

import pytest
from growth import Growth
from llama_checkpoint import LLAMAS
from scale import STEPS, growth_of_all, shape_of, size_of
from scale_plan import Rate, plan
from scale_study import CODECS, configuration, jobs_of, step_of

from qatlas.codecs import registry
from qatlas.config.loading import load
from qatlas.errors import AtlasError
from tests.workflow.conftest import ROOT

RECORD = json.loads((ROOT / "resources" / "scale.json").read_text())
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n7.5\t0:00:07\t{}\t3.0\n"
TOOK = "INFO qatlas: done in 7.1 s, with 6.5 s of CPU and at most {} MiB"


def test_the_study_has_ten_codecs_at_four_bits(tmp_path):
    study = load(configuration(tmp_path))
    assert len(study.families()) == 10
    for grid in study.codecs.values():
        (point,) = grid.points()
        assert registry.create(grid.codec, **point).nominal_bits == 4
    assert {f"sweep of {family}" for family in study.families()} < STEPS.keys()
    assert set(study.codecs) == set(CODECS)


@pytest.mark.parametrize(
    ("job", "step"),
    [
        ("weights/scaled/manifest", "manifest"),
        ("weights/scaled/statistics/3", "statistics"),
        ("weights/figures/kurtosis", "tables and figures"),
        ("weights/tables/tables", "tables and figures"),
        ("rate_distortion/bounds/scaled/0", "bounds"),
        ("rate_distortion/rotation/scaled/0", "rotation"),
        ("rate_distortion/sweep/scaled/uniform/2", "sweep of uniform"),
        ("rate_distortion/figures/bit_sweep", "tables and figures"),
    ],
)
def test_a_job_is_a_part_of_a_step(job, step):
    assert step_of(job) == step


def job(folder, rss, own):
    folder.mkdir()
    (folder / "manifest.benchmark.tsv").write_text(BENCHMARK.format(rss))
    (folder / "manifest.log").write_text(TOOK.format(own) + "\n")


@pytest.mark.parametrize(("rss", "own", "peak"), [(500, 700, 700), (900, 700, 900), ("NA", 7, 7)])
def test_the_peak_of_a_job_is_the_greater_of_two_accounts(tmp_path, rss, own, peak):
    job(tmp_path / "weights", rss, own)
    (found,) = jobs_of(tmp_path)
    assert (found.seconds, found.cpu_seconds, found.peak_mib) == (7.5, 6.5, peak)


def test_a_job_that_did_not_end_has_no_cost(tmp_path):
    job(tmp_path / "weights", 500, 700)
    (tmp_path / "weights" / "manifest.log").write_text("INFO qatlas: tensor 1 of 1: x\n")
    with pytest.raises(AtlasError, match=r"log of weights/manifest does not end"):
        jobs_of(tmp_path)


def leaves(nested, path=()):
    """Every number and word of nested dictionaries and lists, by the keys that lead to it."""
    if isinstance(nested, list):
        nested = dict(enumerate(nested))
    if not isinstance(nested, dict):
        return {path: nested}
    parts = [leaves(value, (*path, key)) for key, value in nested.items()]
    return {key: value for part in parts for key, value in part.items()}


def test_the_lines_of_the_record_are_those_through_its_jobs():
    found = growth_of_all(RECORD["sizes"])
    assert leaves(found) == pytest.approx(leaves({key: RECORD[key] for key in found}))


def test_the_plans_of_the_record_follow_from_its_rates():
    rates = {step: Rate(**rate) for step, rate in RECORD["rates"].items()}
    memory = {step: Growth(**found) for step, found in RECORD["memory_mib"].items()}
    for name, shape in LLAMAS.items():
        found = vars(plan(shape, rates, memory, RECORD["most_weights"]))
        assert found == pytest.approx(RECORD["plans"][name])


def test_the_sizes_of_the_record_are_those_of_their_shapes():
    for run in RECORD["sizes"]:
        assert vars(size_of(shape_of(run["size"]["parameters"]))) == run["size"]
