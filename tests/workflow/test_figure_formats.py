"""Figures in other formats: every rule that draws declares them, and writes what it declares."""

import pytest
from matplotlib.image import imread

from qatlas.figure_files import FORMAT_SUFFIXES
from tests.workflow.conftest import ROOT

# One worker runs those of the finished study, so that it is built once.
of_finished_study = pytest.mark.xdist_group("study")
DRAWING = {
    "weights_figure",
    "rate_distortion_figure",
    "function_figure",
    "robustness_figure",
    "lut_figure",
    "lut_plots",
    "geometry_figures",
    "manifold_figures",
    "correction_figures",
    "layer_figures",
}


def ask_for(formats, checkout):
    config = checkout.folder / "config/smoke.yaml"
    config.write_text(f"figure_formats: [{formats}]\n{config.read_text()}")


@of_finished_study
def test_formats_that_are_asked_for_redraw_every_figure_and_measure_nothing(edited):
    ask_for("svg, eps, png", edited)
    printing = {"provenance", "values", "paper", "latex_kit", "runtimes", "all"}
    assert {rule for rule, _ in edited.jobs()} - printing == DRAWING
    stems = ("weights/figures/kurtosis", "geometry/figures/plane_full")
    asked = [f"results/{stem}{suffix}" for stem in stems for suffix in FORMAT_SUFFIXES.values()]
    run = edited.snakemake(*asked)
    assert run.returncode == 0, run.stdout
    for stem in stems:
        path = edited.folder / "results" / stem
        assert path.with_suffix(".svg").read_text().startswith("<?xml")
        assert path.with_suffix(".eps").read_bytes().startswith(b"%!PS-Adobe-3.0 EPSF-3.0")
        widths = [imread(path.with_suffix(s)).shape[1] for s in (".png", ".300dpi.png")]
        assert widths[1] == pytest.approx(1.5 * widths[0], abs=1)


def test_a_format_that_does_not_exist_is_refused_before_any_job(checkout):
    ask_for("gif", checkout)
    run = checkout.snakemake("--dry-run")
    assert run.returncode != 0
    assert "figure_formats" in run.stdout
    assert "'svg', 'eps' or 'png'" in run.stdout


def test_every_rule_that_saves_a_figure_is_one_of_those_that_were_checked():
    saving = {path for path in (ROOT / "scripts").rglob("*.py") if "save_fig" in path.read_text()}
    assert {path.stem for path in saving} == {
        "weights_figure",
        "rate_distortion_figure",
        "function_figure",
        "robustness_figure",
        "lut_figure",
        "lut_plots",
        "geometry_figures",
    }
