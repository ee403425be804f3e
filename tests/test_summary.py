import json
import math
import re

import jsonschema
import pytest
from pydantic import ValidationError

from qatlas.errors import AtlasError
from qatlas.summary import Claim, Summary, Value, claim, read_summary, schema, write_summary

SUMMARY = Summary(
    chapter="weights",
    values={
        "minilm.lloyd_max.4bit.nmse": Value(
            value=0.25, unit="variance", low=0.125, high=0.5, origin="tables/m.parquet"
        ),
        "minilm.tensors": Value(value=3, unit="tensors", origin="tables/m.parquet"),
        "worst": Value(value="encoder.weight", unit="tensor", origin="tables/m.parquet"),
        "undefined": Value(value=None, unit="ratio", origin="tables/m.parquet"),
    },
    claims={
        "kept": claim("It holds.", 0.5, True, 1.0, "tables/m.parquet"),
        "broken": claim("It does not.", 2.0, False, 1.0, "tables/m.parquet"),
        "unknown": claim("Who knows?", None, False, 1.0, "tables/m.parquet"),
    },
)


def test_what_is_written_is_read(tmp_path):
    write_summary(SUMMARY, tmp_path / "summary.json")
    found = read_summary(tmp_path / "summary.json")
    assert found == SUMMARY
    assert isinstance(found["minilm.tensors"].value, int)
    assert isinstance(found["minilm.lloyd_max.4bit.nmse"].value, float)


def test_the_order_of_values_and_claims_does_not_change_the_bytes(tmp_path):
    turned = SUMMARY.model_copy(
        update={
            "values": dict(reversed(SUMMARY.values.items())),
            "claims": dict(reversed(SUMMARY.claims.items())),
        }
    )
    write_summary(SUMMARY, tmp_path / "one")
    write_summary(turned, tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_written_summary_fits_its_json_schema(tmp_path):
    write_summary(SUMMARY, tmp_path / "summary.json")
    content = json.loads((tmp_path / "summary.json").read_text())
    jsonschema.validate(content, schema())
    assert content["schema"] == 1
    assert content["values"]["minilm.tensors"]["from"] == "tables/m.parquet"
    assert {name: c["holds"] for name, c in content["claims"].items()} == {
        "kept": True,
        "broken": False,
        "unknown": "not_measured",
    }


@pytest.mark.parametrize("value", [None, math.nan])
@pytest.mark.parametrize("holds", [True, False])
def test_a_claim_without_a_value_was_not_measured(value, holds):
    found = claim("It holds.", value, holds, 1.0, "table")
    assert (found.holds, found.value) == ("not_measured", None)


@pytest.mark.parametrize("holds", [True, False])
def test_a_claim_with_a_value_says_whether_it_holds(holds):
    found = claim("It holds.", 0.0, holds, 1.0, "table")
    assert (found.holds, found.value, found.threshold) == (holds, 0.0, 1.0)


def test_an_unknown_value_is_answered_with_the_nearest():
    with pytest.raises(AtlasError) as refusal:
        SUMMARY["minilm.tensor"]
    assert str(refusal.value) == (
        "summary of weights: no value 'minilm.tensor'; did you mean 'minilm.tensors'?"
    )


@pytest.mark.parametrize(
    ("name", "form", "text"),
    [
        ("minilm.lloyd_max.4bit.nmse", ".3f", "0.250"),
        ("minilm.tensors", "", "3"),
        ("worst", "", "encoder.weight"),
        ("undefined", ".3f", "not measured"),
        ("minilm.nothing", ".3f", "not measured"),
    ],
)
def test_a_value_is_written_as_a_text_has_it(name, form, text):
    assert SUMMARY.written(name, form) == text


@pytest.mark.parametrize("name", ["", "a b", ".a", "a.", "a..b", "a\nb"])
def test_names_are_dotted_paths(name):
    with pytest.raises(ValidationError):
        Summary(chapter="weights", values={name: SUMMARY["worst"]}, claims={})


@pytest.mark.parametrize("kind", [Summary, Value, Claim])
def test_unknown_keys_are_refused(kind):
    with pytest.raises(ValidationError, match="colour"):
        kind(colour="red")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not a readable summary"),
        ("", "not a readable summary"),
        ("{", "not a readable summary"),
        (b"\xff", "not a readable summary"),
        ("[]", "its schema is None and should be 1"),
        ('{"schema": 2, "colour": "red"}', "its schema is 2 and should be 1"),
        (
            '{"schema": 1, "chapter": "a", "source": "guessed", "values": {}, "claims": {}}',
            "source: Input should be 'measured' or 'simulated'",
        ),
        ('{"schema": 1, "chapter": "a", "values": {"a": 3}, "claims": {}}', r"values\.a: "),
    ],
)
def test_what_is_no_summary_of_this_version_is_named_with_what_to_do(content, said, tmp_path):
    path = tmp_path / "summary.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AtlasError) as refusal:
        read_summary(path)
    assert re.search(rf"(?s)summary\.json: .*{said}.*; make it again: ", str(refusal.value))
    assert f"snakemake --force {path}" in str(refusal.value)


def test_a_summary_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    def breaks_off(*_, **__):
        raise RecursionError

    monkeypatch.setattr(json, "dumps", breaks_off)
    with pytest.raises(RecursionError):
        write_summary(SUMMARY, tmp_path / "summary.json")
    assert list(tmp_path.iterdir()) == []
