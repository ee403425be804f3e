from html.parser import HTMLParser

import pytest
import yaml

from qatlas.paper.report_pages import claims_page, page_of, write_configuration
from qatlas.summary import Summary, claim, write_summary


class Page(HTMLParser):
    """Text of a page, and of each row of its tables cell by cell, as a browser shows it."""

    def __init__(self, page):
        super().__init__()
        self.text, self.rows = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


@pytest.fixture
def summary():
    claims = {
        "b.beats": claim("a < b & c on every tensor.", 0.123456789, True, 1.0, "a table"),
        "a.misses": claim("A second one.", 2.0, False, 1.0, "a table"),
        "c.unknown": claim("A third one.", None, False, 0.05, "a table"),
    }
    return Summary(chapter="rate_distortion", values={}, claims=claims)


def test_claims_are_shown_with_their_verdicts_and_counted(summary):
    page = Page(claims_page(summary))
    assert "rate distortion: 1 hold, 1 do not, 1 were not measured" in page.text
    assert page.rows == [
        ["claim", "holds", "value", "threshold", "name", "table"],
        ["A second one.", "no", "2", "1", "a.misses", "a table"],
        ["a < b & c on every tensor.", "yes", "0.123457", "1", "b.beats", "a table"],
        ["A third one.", "not measured", "", "0.05", "c.unknown", "a table"],
    ]


def test_a_table_is_shown_digit_by_digit_and_what_looks_like_markup_is_text(tmp_path):
    path = tmp_path / "operating_points.csv"
    path.write_text('series,parameters,rate_bits\n<b>nf4</b>,"{""a"": 1}",4.50000\nNA,,\n')
    page = Page(page_of(path))
    assert "operating points" in page.text
    assert page.rows == [
        ["series", "parameters", "rate bits"],
        ["<b>nf4</b>", '{"a": 1}', "4.50000"],
        ["NA", "", ""],
    ]


def test_a_summary_is_shown_by_its_claims(summary, tmp_path):
    write_summary(summary, tmp_path / "summary.json")
    assert page_of(tmp_path / "summary.json") == claims_page(summary)


@pytest.mark.parametrize("name", ["robustness.txt", "provenance.json", "config.yaml"])
def test_other_texts_are_shown_whole_and_escaped(tmp_path, name):
    path = tmp_path / name
    path.write_text('{"seed": "<2026>"}\n')
    assert '{"seed": "<2026>"}' in Page(page_of(path)).text


def test_the_configuration_is_yaml_that_reads_the_same_again(tmp_path):
    study = {"seed": 1, "models": {"a": {"rows": [1, 2], "hub": None}}, "on": True}
    write_configuration(study, tmp_path / "config.yaml")
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == study
