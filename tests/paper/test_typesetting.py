"""The functions that the paper's text is written with, each in a small document of its own."""

import json
import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from qatlas.errors import AtlasError
from qatlas.paper.typesetting import typeset
from qatlas.paper.values import gather, write_values
from qatlas.summary import Summary, Value, claim

PAPER = Path(__file__).parents[2] / "paper"
SUMMARY = "results/lut/summary.json"
VALUES = {
    "gap": Value(value=0.25461, unit="bits per weight", low=0.2, high=0.31, origin="t"),
    "tiny": Value(value=-1.42e-34, unit="1", origin="t"),
    "weights": Value(value=22713216, unit="weights", origin="t"),
    "best": Value(value="entropy_coded", unit="series", origin="t"),
    "missing": Value(value=None, unit="1", origin="t"),
}
CLAIMS = {
    "good": claim("Good.", 1.0, True, 0.5, "t"),
    "bad": claim("Bad.", 0.25, False, 0.5, "t"),
    "open": claim("Open.", None, False, 0.5, "t"),
}
STUDY = {
    "models": {"mine": {"path": "x"}, "noise": {"distribution": "gaussian"}},
    "rate_distortion": {"example": {"model": "mine", "tensor": "a"}},
    "function": None,
}


@pytest.fixture
def document(tmp_path):
    """A function that sets a document which may use what the paper's text uses, and its text."""
    data = {name: tmp_path / f"{name}.json" for name in ("values", "tables", "provenance")}
    summary = Summary(chapter="lut", values=VALUES, claims=CLAIMS)
    write_values(gather({SUMMARY: summary}, {SUMMARY: "lut_summary"}), data["values"])
    data["tables"].write_text("[]")
    data["provenance"].write_text(json.dumps({"config": STUDY}))

    def set_document(text, name="document.pdf"):
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        for file in ("study.typ", "style.typ"):
            (source / file).write_text((PAPER / file).read_text())
        heading = '#import "study.typ": *\n#set text(font: "Libertinus Serif")\n'
        (source / "main.typ").write_text(heading + text)
        typeset(source, data, [], tmp_path / name)
        return " ".join(PdfReader(tmp_path / name).pages[0].extract_text().split())

    return set_document


def test_a_value_is_its_digits_its_unit_and_on_request_its_interval(document):
    assert document('#value("lut.gap")') == "0.255 bit"
    assert document('#value("lut.gap", unit: false)') == "0.255"
    assert document('#value("lut.gap", interval: true)') == "0.255 bit (0.200 to 0.310)"


def test_numbers_are_written_as_they_are_read(document):
    assert re.sub(r"\s", "", document('#value("lut.tiny")')) == "−1.42×10−34"
    assert document('#value("lut.weights", unit: false)') == "22,713,216"


@pytest.mark.parametrize(
    ("digits", "read"), [("999", "999"), ("1000", "1000"), ("-123456.5", "−123,456.5")]
)
def test_thousands_are_set_apart_from_five_digits_on(digits, read, document):
    assert document(f'#digits("{digits}")') == read


def test_a_word_may_break_where_its_parts_meet(document):
    assert document('#value("lut.best")').replace("\u200b", "") == "entropy_coded"


def test_the_data_choose_the_sentence_and_the_others_ask_for_nothing(document):
    said = "holds: () => [yes], fails: () => [no], unmeasured: () => [who knows]"
    assert document(f'#claim("lut.good", {said})') == "yes"
    assert document(f'#claim("lut.bad", {said})') == "no"
    assert document(f'#claim("lut.open", {said})') == "who knows"
    asking = 'holds: () => judged("lut.nowhere"), unmeasured: () => [fine]'
    assert document(f'#claim("lut.open", {asking})') == "fine"


def test_claims_of_models_are_told_apart_and_those_not_measured_left_out(document):
    said = "yes => [of #yes], no => [not of #no]"
    told = f'#by-model(("good", "bad", "open"), of => "lut." + of, {said})'
    assert document(told) == "of good (1.00) not of bad (0.250)"


def test_claims_are_counted(document):
    assert document('#tally("lut.")') == "1 of 3"


def test_sampled_models_are_told_from_trained_ones(document):
    assert document('#trained.join(",") #sampled.join(",")') == "mine noise"


@pytest.mark.parametrize("call", ['value("lut.gpa")', 'claim("lut.gpa")', 'judged("lut.gpa")'])
def test_a_name_that_is_not_there_is_refused_with_its_place_its_rule_and_the_nearest(
    call, document
):
    with pytest.raises(AtlasError) as refused:
        document(f"one line\n\n#{call}")
    message = str(refused.value)
    assert "no value or claim named `lut.gpa`" in message
    assert "rule lut_summary (results/lut/summary.json)" in message
    assert "main.typ:5" in message
    assert "did you mean 'lut.gap'?" in message


def test_a_chapter_that_the_study_leaves_out_has_no_rule(document):
    with pytest.raises(AtlasError, match="no rule of this study"):
        document('#value("geometry.volume")')


@pytest.mark.parametrize("call", ['value("lut.missing")', 'judged("lut.open")'])
def test_what_was_not_measured_is_refused_with_the_rule_that_would_have_it(call, document):
    with pytest.raises(AtlasError, match=r"was measured; rule lut_summary"):
        document(f"#{call}")


def test_a_font_that_typst_does_not_carry_is_refused_and_nothing_is_written(document, tmp_path):
    with pytest.raises(AtlasError) as refused:
        document('#set text(font: "Helvetica")\nWords.', "none.pdf")
    assert "unknown font family: helvetica" in str(refused.value)
    assert "Libertinus Serif" in str(refused.value)
    assert not (tmp_path / "none.pdf").exists()


def test_two_builds_give_the_same_bytes(document, tmp_path):
    for name in ("first.pdf", "second.pdf"):
        document('#value("lut.gap") $x^2$', name)
    assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "second.pdf").read_bytes()


def test_every_work_of_the_bibliography_is_cited():
    listed = re.findall(r"^@\w+\{(\w+),", (PAPER / "references.bib").read_text(), re.MULTILINE)
    text = "\n".join(file.read_text() for file in PAPER.rglob("*.typ"))
    assert set(listed) - set(re.findall(r"@(\w+)", text)) == set()
    assert len(set(listed)) == len(listed)


def test_no_measured_number_is_typed():
    """Measured numbers have a point; what else has one are names of files and sizes of type."""
    for file in (PAPER / "sections").glob("*.typ"):
        text = re.sub(r"`[^`]*`|[\d.]+pt", "", file.read_text())
        assert not re.findall(r"(?<![\w./])\d+\.\d+", text), file.name
