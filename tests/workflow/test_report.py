"""The report of Snakemake: of the small study, and which parts it has of others."""

import base64
import json
import re

import pytest
import yaml

from tests.workflow.conftest import ROOT


def embedded(page, name):
    """A JSON object that the report's script assigns to a name."""
    before = f"var {name} = "
    start = page.index(before + '{"') + len(before)
    return json.JSONDecoder().raw_decode(page, start)[0]


@pytest.mark.xdist_group("study")
def test_the_report_holds_figures_tables_captions_rules_times_configuration(edited):
    run = edited.snakemake("report", "recorded_run")
    assert run.returncode == 0, run.stdout
    assert "results/report.html  (" in run.stdout
    results = edited.folder / "results"
    page = (results / "report.html").read_text()
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page)

    shown = embedded(page, "results")
    figures = {
        str(path.relative_to(edited.folder))
        for path in results.glob("*/figures/**/*.png")
        if not path.name.endswith(".300dpi.png")
    }
    assert figures <= set(shown)
    for name, entry in shown.items():
        assert entry["caption"], name
        assert entry["labels"], name
        assert "System Message" not in entry["caption"], name
        if name in figures:
            words = (edited.folder / name).with_suffix(".rst").read_text().split()
            assert words[0] in entry["caption"], name
    assert set(embedded(page, "categories")) == {
        "Weights",
        "Rate and distortion",
        "Function",
        "Lookup tables",
        "Geometry",
        "Paper",
        "Run",
    }

    def text_of(name):
        return base64.b64decode(shown[name]["data_uri"].partition("base64,")[2]).decode()

    lock = json.loads((results / "provenance.json").read_text())["lock_sha256"]
    assert lock in text_of("results/report/provenance.html")
    assert "gguf_q4_0" in text_of("results/report/report-config.html")
    assert "rate_distortion/sweep" in text_of("results/report/runtimes.html")
    assert "were not measured" in text_of("results/report/rate_distortion-summary.html")
    record = json.loads((edited.folder / "resources/recorded_run.json").read_text())
    benchmarks = {str(p.relative_to(edited.folder)) for p in results.rglob("*.benchmark.tsv")}
    assert set(record["seconds"]) <= benchmarks
    assert "results/models/text/corpus.benchmark.tsv" in record["seconds"]
    assert min(record["seconds"].values()) >= 0

    ruled = {node["rule"] for node in embedded(page, "rulegraph_spec")["data"][0]["values"]}
    assert {"sweep", "evaluation", "lut_maps", "regions", "runtimes"} <= ruled


def test_a_study_of_two_chapters_has_a_report(checkout):
    smoke = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    kept = {key: smoke[key] for key in ("seed", "models", "codecs", "rate_distortion")}
    (checkout.folder / "study.yaml").write_text(yaml.safe_dump(kept))
    rules = {rule for rule, _ in checkout.jobs("report", config="study.yaml")}
    assert {"weights_figure", "rate_distortion_figure", "report_pages", "report"} <= rules
    assert not {"function_figure", "lut_figure", "geometry_figures", "robustness"} & rules
