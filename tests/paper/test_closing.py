import pytest

from qatlas.errors import AtlasError
from qatlas.paper.closing import FIRST, closing_message, failure_message
from qatlas.summary import Summary, claim, write_summary

GAP, PAPER, EXPLORER, REPORT = FIRST


@pytest.fixture
def summary(tmp_path):
    """Path of a summary with claims of which some hold, some do not, some were not measured."""

    def written(chapter, holds, fails, unmeasured):
        claims = {
            f"{kind}.{place}": claim("A claim.", value, kind == "holds", 1.0, "a table")
            for kind, count, value in (
                ("holds", holds, 0.5),
                ("fails", fails, 2.0),
                ("unmeasured", unmeasured, None),
            )
            for place in range(count)
        }
        path = tmp_path / chapter / "summary.json"
        write_summary(Summary(chapter=chapter, values={}, claims=claims), path)
        return str(path)

    return written


def test_a_whole_study_counts_figures_summaries_and_claims_and_says_where_to_look(summary):
    summaries = [summary("weights", 3, 1, 0), summary("lut", 2, 0, 4)]
    text = closing_message([REPORT, GAP, "results/lut/figures/maps.pdf", "x.csv", *summaries])
    lines = text.splitlines()
    assert lines[0] == "Made 2 figures and 2 summaries, 6 files in all."
    assert lines[1] == "Of 10 claims 5 hold, 1 do not, 4 were not measured."
    assert [line.split()[0] for line in lines[3:]] == [GAP, REPORT]


def test_a_run_for_one_figure_speaks_of_that_figure_alone():
    stem = "results/weights/figures/kurtosis"
    text = closing_message([f"{stem}.pdf", f"{stem}.png", f"{stem}.csv", f"{stem}.rst"])
    assert text == f"Made 1 figure, 4 files in all.\nLook first at\n  {stem}.pdf"


def test_a_run_without_figures_names_a_few_files():
    made = [f"results/weights/tables/{name}.parquet" for name in "abcde"]
    lines = closing_message(made).splitlines()
    assert lines[0] == "Made 5 files."
    assert [line.strip() for line in lines[2:]] == made[:3]


def test_a_damaged_summary_is_refused(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text("{}")
    with pytest.raises(AtlasError, match=r"summary\.json"):
        closing_message([str(path)])


def test_failures_name_every_rule_and_log_once():
    failed = [("sweep", ["b.log"]), ("bounds", ["a.log"]), ("sweep", ["b.log"])]
    lines = failure_message(failed).splitlines()
    assert lines[1:3] == ["  rule bounds: a.log", "  rule sweep: b.log"]
    assert "the same command" in lines[3]
    assert failure_message([]).splitlines() == lines[3:]
