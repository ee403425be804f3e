import json

import pytest

from qatlas.errors import AtlasError
from qatlas.paper.values import gather, read_values, write_values
from qatlas.summary import Summary, Value, claim

FILE, OTHER = "results/lut/summary.json", "results/function/robustness/summary.json"
RULES = {FILE: "lut_summary", OTHER: "robustness"}


def value(found, unit="1", **interval):
    return Value(value=found, unit=unit, origin="lut/tables/maps.parquet", **interval)


def printed(**values):
    """Of a summary with these values, which are known by their last name alone."""
    summary = Summary(chapter="lut", values=values, claims={})
    return {
        name.removeprefix("lut."): one
        for name, one in gather({FILE: summary}, RULES).values.items()
    }


def test_names_begin_with_the_chapter_and_say_which_file_and_rule_they_are_from():
    lut = Summary(chapter="lut", values={"a.b": value(1.0)}, claims={})
    graph = Summary(
        chapter="function", source="simulated", values={"robustness.a": value(2.0)}, claims={}
    )
    found = gather({FILE: lut, OTHER: graph}, RULES)
    assert set(found.values) == {"lut.a.b", "function.robustness.a"}
    assert found.values["lut.a.b"].summary == FILE
    assert found.summaries[FILE].rule == "lut_summary"
    assert [found.summaries[file].source for file in (FILE, OTHER)] == ["measured", "simulated"]


def test_a_number_has_its_digits_unit_and_interval():
    found = printed(a=value(0.25461, "bits per weight", low=0.2, high=0.31))["a"]
    assert (found.kind, found.written, found.unit) == ("number", "0.255", "bits per weight")
    assert (found.low, found.high) == ("0.200", "0.310")
    assert found.text == "0.255 bits per weight (0.200 to 0.310)"


def test_a_plain_number_has_no_unit_and_what_it_is_a_median_of_is_no_unit():
    found = printed(a=value(0.5), b=value(21.5, "dimensions, median over layers"))
    assert [one.text for one in found.values()] == ["0.500", "21.5 dimensions"]


def test_half_an_interval_is_none():
    assert printed(a=value(1.0, low=0.5))["a"].text == "1.00"


def test_a_count_keeps_all_digits():
    assert printed(a=value(22713216, "weights"))["a"].text == "22713216 weights"


def test_words_stay_as_they_are():
    found = printed(a=value("entropy_coded", "series"))["a"]
    assert (found.kind, found.written, found.text) == ("word", "entropy_coded", "entropy_coded")


def test_lists_and_rows_of_lists_keep_their_places():
    found = printed(a=value((1.0, None), "input, per axis"), b=value(((1.0, 2.5), (3.0, 4.0))))
    assert found["a"].written == ("1.00", None)
    assert found["a"].text == "1.00, not measured input"
    assert found["b"].written == (("1.00", "2.50"), ("3.00", "4.00"))


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_what_has_no_value_is_not_measured(missing):
    found = printed(a=value(missing))["a"]
    assert (found.kind, found.written, found.text) == ("not_measured", None, "not measured")


def test_claims_keep_their_verdict_and_the_threshold_as_it_was_set():
    claims = {
        "one": claim("It holds.", 0.25, True, 0.05, "t"),
        "none": claim("Who knows.", None, False, 1e-10, "t"),
    }
    found = gather({FILE: Summary(chapter="lut", values={}, claims=claims)}, RULES).claims
    assert (found["lut.one"].holds, found["lut.one"].threshold) == (True, "0.05")
    assert (found["lut.none"].holds, found["lut.none"].value) == ("not_measured", None)
    assert found["lut.none"].threshold == "1e-10"


def test_a_name_of_two_summaries_is_refused():
    summary = Summary(chapter="lut", values={"a": value(1.0)}, claims={})
    with pytest.raises(AtlasError, match=r"lut\.a too; rename"):
        gather({FILE: summary, OTHER: summary}, RULES)


def test_what_is_written_is_read_again_and_the_same_bytes_twice(tmp_path):
    values = {"b": value((1.0, 2.0)), "a": value(((1.0, None),)), "c": value("x", "series")}
    found = gather({FILE: Summary(chapter="lut", values=values, claims={})}, RULES)
    for name in ("first", "second"):
        write_values(found, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert read_values(tmp_path / "first") == found
    assert list(json.loads((tmp_path / "first").read_text())["values"]) == [
        "lut.a",
        "lut.b",
        "lut.c",
    ]


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 2}'])
def test_values_of_another_version_are_refused_with_the_command_that_remakes_them(
    content, tmp_path
):
    (tmp_path / "values.json").write_text(content)
    with pytest.raises(AtlasError, match=r"run `snakemake .*values\.json`"):
        read_values(tmp_path / "values.json")
