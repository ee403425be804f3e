import json

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.earlier_results import require_own_results
from qatlas.errors import AtlasError
from tests.workflow.conftest import ROOT

SMOKE = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
STUDY = load(SMOKE)


@pytest.fixture
def results(tmp_path):
    """Results of the smoke study that were copied here: its configuration, and no record."""
    (tmp_path / "results").mkdir()
    path = tmp_path / "results/provenance.json"
    path.write_text(json.dumps({"config": STUDY.model_dump(mode="json")}))
    return path


def other_study():
    codecs = {name: grid for name, grid in SMOKE["codecs"].items() if name != "vector_residual"}
    return load(SMOKE | {"codecs": codecs, "figure_formats": ["svg"]})


def test_results_of_the_same_configuration_are_taken(results):
    require_own_results(STUDY, results, results.parent / "no record")


def test_results_of_another_configuration_are_refused_and_what_differs_is_named(results):
    with pytest.raises(AtlasError) as refusal:
        require_own_results(other_study(), results, results.parent / "no record")
    assert str(refusal.value).startswith(f"{results}: these results were made elsewhere")
    assert "differs in figure_formats, codecs, so" in str(refusal.value)
    assert f"mv {results.parent} {results.parent}-of-another" in str(refusal.value)


def test_what_has_a_record_is_left_to_the_workflow_which_makes_it_again(results):
    record = results.parent / "record"
    record.touch()
    require_own_results(other_study(), results, record)


def test_where_there_are_no_results_nothing_is_refused(tmp_path):
    require_own_results(STUDY, tmp_path / "provenance.json", tmp_path / "no record")


def test_keys_of_another_version_are_named(results):
    config = STUDY.model_dump(mode="json") | {"colours": "red", "seed": -1}
    results.write_text(json.dumps({"config": config}))
    with pytest.raises(AtlasError, match="differs in colours, seed, so"):
        require_own_results(STUDY, results, results.parent / "no record")


@pytest.mark.parametrize("content", ["", "[]", "{}", "null"])
def test_a_provenance_that_cannot_be_read_is_named(content, results):
    results.write_text(content)
    with pytest.raises(AtlasError, match=r"provenance\.json: not readable .*; move them away"):
        require_own_results(STUDY, results, results.parent / "no record")
