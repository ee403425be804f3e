import importlib.util
import json
import os
import re
import shutil
import subprocess
from hashlib import sha256

import jsonschema
import pandas as pd
import pytest
import yaml
from pypdf import PdfReader

from qatlas.config.loading import load
from qatlas.function.evaluation import compare_all
from qatlas.function.figures import FIGURES as FUNCTION_FIGURES
from qatlas.function.opening import open_calibrated
from qatlas.geometry.figures import FIGURES as GEOMETRY_FIGURES
from qatlas.lut.figures import figures_of as lut_figures_of
from qatlas.lut.simulation.plot_names import drawn_plots
from qatlas.models import load_quantized
from qatlas.rate_distortion.figures import FIGURES as RATE_DISTORTION_FIGURES
from tests.workflow.conftest import ROOT, Checkout, copy_project

# One worker runs these, so that the study is built once.
pytestmark = pytest.mark.xdist_group("study")

SMOKE = load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))
FIGURES = (
    "weights/figures/weight_distribution",
    "weights/figures/kurtosis",
    *(f"rate_distortion/figures/{name}" for name in RATE_DISTORTION_FIGURES),
    *(f"function/figures/{name}" for name in (*FUNCTION_FIGURES, "robustness")),
    *(f"lut/figures/{name}" for name in lut_figures_of(SMOKE.lut)),
    *(f"geometry/figures/{name}" for name in GEOMETRY_FIGURES),
)
PAPER = "paper/paper.pdf"
CHANGES_BETWEEN_BUILDS = (
    ".log",
    ".benchmark.tsv",
    "timings.parquet",
    "speeds.parquet",
    "speeds.csv",
    "runtimes.csv",
)


def rules_of(jobs):
    return {rule for rule, _ in jobs}


def append(path, text):
    path.write_text(path.read_text() + text)


def test_every_figure_is_a_vector_pdf_with_preview_data_and_caption(study):
    for figure in FIGURES:
        path = study.folder / "results" / figure
        pdf = path.with_suffix(".pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"/Subtype /Image" not in pdf
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        assert len(pd.read_csv(path.with_suffix(".csv"))) > 0
        assert len(path.with_suffix(".rst").read_text()) > 40


def test_summaries_follow_their_published_schema(study):
    schema = json.loads((ROOT / "docs/summary.schema.json").read_text())
    for chapter in ("weights", "rate_distortion", "function", "lut", "geometry"):
        summary = json.loads((study.folder / f"results/{chapter}/summary.json").read_text())
        jsonschema.validate(summary, schema)
        assert summary["chapter"] == chapter
        assert summary["claims"]


def test_measured_rates_are_the_stored_bits(study):
    rows = pd.read_parquet(study.folder / "results/rate_distortion/tables/measurements.parquet")
    parts = [
        f"{p}_bits_per_weight" for p in ("payload", "scale", "zero_point", "codebook", "other")
    ]
    assert rows[parts].sum(axis=1).to_numpy() == pytest.approx(rows.rate_bits_per_weight)
    fixed = rows[rows.codec.isin(["uniform", "lloyd_max"])]
    assert (fixed.payload_bits_per_weight >= fixed.nominal_bits).all()
    gaussian = rows[rows.model == "gaussian"]
    assert (gaussian.gap_empirical_bits > 0).all()
    assert set(rows.model) == {"minilm", "gaussian", "laplace"}


def test_the_explorer_has_every_measurement_and_links_to_the_logs_of_its_jobs(study):
    page = study.folder / "results/explorer/index.html"
    content = json.loads(re.search(r'id="content">(.*?)</script>', page.read_text())[1])
    rows = pd.read_parquet(study.folder / "results/rate_distortion/tables/measurements.parquet")
    jobs = content["datasets"]["weights"]["rows"]["job"]["numbers"]
    assert sum(job is not None for job in jobs) == len(rows)
    assert set(content["datasets"]) == {"weights", "outputs", "growth"}
    for dataset in content["datasets"].values():
        for job in dataset["jobs"]:
            for suffix in (".log", ".benchmark.tsv"):
                assert (study.folder / "results" / f"{job}{suffix}").is_file()


def test_provenance_names_the_checkpoint_by_its_checksum(study):
    record = json.loads((study.folder / "results/provenance.json").read_text())
    assert (
        record["checkpoints"]["minilm"]["model.safetensors"]
        == (record["config"]["models"]["minilm"]["sha256"])
    )
    llama = ROOT / "resources/models/llama-0/model.safetensors"
    assert record["checkpoints"]["llama-0"] == {
        "model.safetensors": sha256(llama.read_bytes()).hexdigest()
    }
    assert set(record["text"]) == {"training", "validation", "test"}
    assert record["packages"]["torch"].startswith("2.13.0")


def test_a_finished_study_has_nothing_to_do(study):
    run = study.snakemake("--dry-run")
    assert "Nothing to be done" in run.stdout
    assert study.jobs() == []


def test_touched_files_rerun_nothing(edited):
    for folder in ("src", "scripts", "config"):
        for path in (edited.folder / folder).rglob("*"):
            os.utime(path)
    assert edited.jobs() == []


def test_an_edited_codec_reruns_its_sweeps_and_what_follows_from_them(edited):
    append(edited.folder / "src/qatlas/codecs/families/lloyd_max.py", "\n# edited\n")
    jobs = edited.jobs()
    sweeps = [wildcards for rule, wildcards in jobs if rule == "sweep"]
    assert len(sweeps) == 2
    assert all("family=lloyd_max" in wildcards for wildcards in sweeps)
    assert rules_of(jobs) == {
        "sweep",
        "rate_distortion_tables",
        "allocation",
        "rate_distortion_summary",
        "rate_distortion_figure",
        "runtimes",
        "values",
        "paper",
        "latex_kit",
        "explorer",
        "all",
    }


def test_an_edited_codec_reruns_the_sweeps_of_those_that_wrap_it(edited):
    append(edited.folder / "src/qatlas/codecs/families/uniform.py", "\n# edited\n")
    sweeps = [wildcards for rule, wildcards in edited.jobs() if rule == "sweep"]
    families = {re.search(r"family=(\w+)", wildcards)[1] for wildcards in sweeps}
    assert families == {"uniform", "rotate"}


def test_an_edited_figure_redraws_that_figure_alone(edited):
    append(edited.folder / "src/qatlas/rate_distortion/figures/bit_sweep.py", "\n# edited\n")
    jobs = edited.jobs()
    assert rules_of(jobs) == {"rate_distortion_figure", "runtimes", "paper", "latex_kit", "all"}
    assert [w for rule, w in jobs if rule == "rate_distortion_figure"] == ["figure=bit_sweep"]


def test_another_point_of_a_codec_measures_that_codec_alone(edited):
    config = edited.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("lloyd_max, bits: [2, 4]", "lloyd_max, bits: [3]"))
    sweeps = [wildcards for rule, wildcards in edited.jobs() if rule == "sweep"]
    assert len(sweeps) == 2
    assert all("family=lloyd_max" in wildcards for wildcards in sweeps)


def test_a_series_whose_package_is_missing_has_no_rows_and_is_claimed_as_not_measured(study):
    rows = pd.read_parquet(study.folder / "results/rate_distortion/tables/measurements.parquet")
    claims = json.loads((study.folder / "results/rate_distortion/summary.json").read_text())[
        "claims"
    ]
    skipped = {name: claim["holds"] for name, claim in claims.items() if name.endswith(".measured")}
    missing = importlib.util.find_spec("hqq") is None
    assert skipped == ({"hqq_4bit.measured": "not_measured"} if missing else {})
    assert ("hqq_4bit" in set(rows.series)) != missing
    said = study.snakemake("--dry-run").stdout
    assert ("series hqq_4bit is skipped, not measured" in said) == missing
    sweeps = study.folder / "results/rate_distortion/sweep"
    assert bool(list(sweeps.glob("*/hqq_group"))) != missing


def test_a_package_of_another_version_has_its_codec_measured_anew(study, tmp_path, monkeypatch):
    (tmp_path / "hqq").mkdir()
    (tmp_path / "hqq/__init__.py").touch()
    (tmp_path / "hqq-99.dist-info").mkdir()
    (tmp_path / "hqq-99.dist-info/METADATA").write_text("Name: hqq\nVersion: 99\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sweeps = [wildcards for rule, wildcards in study.jobs() if rule == "sweep"]
    assert len(sweeps) == 2
    assert all("family=hqq_group" in wildcards for wildcards in sweeps)


def test_an_exported_model_has_the_measured_perplexity_and_size(edited):
    described = load(yaml.safe_load((edited.folder / "config/smoke.yaml").read_text()))
    path = edited.folder / "results/function/exports/llama-0/gptq_channel-4bit.safetensors"
    run = edited.snakemake(str(path.relative_to(edited.folder)))
    assert run.returncode == 0, run.stdout
    rows = pd.read_parquet(edited.folder / "results/function/tables/evaluations.parquet")
    (row,) = rows[(rows.series == "gptq_channel") & (rows.nominal_bits == 4)].to_dict("records")
    chapter = described.function
    calibrated, reading = open_calibrated(
        "llama",
        0,
        ROOT / chapter.models["llama"].folder_of(0),
        chapter.keep,
        edited.folder / "results/function/calibration/llama-0.npz",
        edited.folder / "results/models/text/documents.parquet",
        {
            **chapter.model_dump(include={"part", "tokens", "batch", "device"}),
            "context": described.text.context,
        },
        described.seed,
    )
    (found,) = compare_all(calibrated.model, [load_quantized(path)], reading)
    assert found.likelihood.perplexity == row["perplexity"]
    manifest = json.loads(path.with_suffix(".json").read_text())
    assert manifest["bits_per_parameter"] == row["model_bits_per_parameter"]
    assert manifest["tensor_bytes"] + manifest["header_bytes"] == path.stat().st_size


def fresh_clone(folder):
    """The project as a clone of a repository that has it, and its commit."""
    origin = copy_project(folder / "origin").folder
    shutil.copy(ROOT / ".gitignore", origin)
    for command in (
        "init --quiet",
        "add .",
        "-c user.name=test -c user.email=test@localhost commit --quiet --message all",
        "clone --quiet . ../clone",
    ):
        subprocess.run(["git", *command.split()], cwd=origin, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=origin, check=True, capture_output=True, text=True
    )
    return Checkout(folder / "clone"), head.stdout.strip()


def test_a_fresh_clone_the_record_of_a_build_and_other_cores_give_the_same_bytes(study, tmp_path):
    recorded = json.loads((study.folder / "results/provenance.json").read_text())
    other, commit = fresh_clone(tmp_path)
    record = tmp_path / "record.json"
    record.write_text(json.dumps(recorded["config"]))
    run = other.snakemake("--cores", "8", config=str(record))
    assert run.returncode == 0, run.stdout
    again = json.loads((other.folder / "results/provenance.json").read_text())
    assert again == recorded | {"commit": commit, "dirty": False}
    first, second = hashes(study), hashes(other)
    # The paper says which commit it was made from, and no copy without a history has one.
    assert first.pop(PAPER) != second.pop(PAPER)
    assert first == second
    pages = PdfReader(other.folder / "results" / PAPER).pages
    text = "".join(page.extract_text() for page in pages)
    assert commit in re.sub(r"[\n\u200b]", "", text)
    # Figures stand in the LaTeX kit a second time.
    drawn = 2 * len(FIGURES) + len(drawn_plots(SMOKE.lut))
    assert sum(name.endswith(".pdf") for name in first) == drawn


def hashes(checkout):
    results = checkout.folder / "results"
    return {
        str(path.relative_to(results)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and not path.name.endswith(CHANGES_BETWEEN_BUILDS)
        and path.name != "provenance.json"
    }
