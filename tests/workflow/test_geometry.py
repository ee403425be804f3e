"""The chapter geometry: what its jobs depend on, and what they refuse."""

import pandas as pd
import pytest

from qatlas.codecs.peers import is_installed
from qatlas.geometry.figures import GROUPS
from qatlas.geometry.schema import TABLES

# One worker runs those of the finished study, so that it is built once.
of_finished_study = pytest.mark.xdist_group("study")


def rules_after(checkout, name):
    """Rules that run again after a file of the chapter is edited."""
    path = checkout.folder / "src/qatlas/geometry" / name
    path.write_text(path.read_text() + "\n# edited\n")
    return {rule for rule, _ in checkout.jobs()}


@of_finished_study
def test_an_edited_figure_redraws_its_group_alone(edited):
    assert rules_after(edited, "figures/plane_full.py") == {
        "geometry_figures",
        "runtimes",
        "paper",
        "latex_kit",
        "all",
    }


@of_finished_study
def test_an_edited_manifold_measures_and_draws_what_follows_from_it(edited):
    # Captions of every group take their numbers from the summary.
    assert rules_after(edited, "fake_quantization.py") == {
        "manifolds",
        "geometry_summary",
        "geometry_figures",
        "manifold_figures",
        "correction_figures",
        "layer_figures",
        "runtimes",
        "values",
        "paper",
        "latex_kit",
        "all",
    }


@pytest.mark.skipif(is_installed("manim"), reason="Manim is installed")
def test_animations_without_manim_end_before_any_job_and_say_how_to_install_it(checkout):
    run = checkout.snakemake("animations")
    assert run.returncode != 0
    assert "Install them and render with `make animations`" in run.stdout
    assert not (checkout.folder / "results").exists()


def test_animations_of_a_network_that_needs_no_rounding_end_before_any_job(checkout):
    config = checkout.folder / "config/smoke.yaml"
    even = "correction: {bits: 3, weight_1: [[1, 0], [0, 1]], weight_2: [[1, 0], [0, 1]], "
    config.write_text(config.read_text().replace("correction: {", even))
    run = checkout.snakemake("results/geometry/animations/Opening.mp4")
    assert run.returncode != 0
    assert "geometry.correction.bits is 3" in run.stdout
    assert not (checkout.folder / "results").exists()


@of_finished_study
def test_one_figure_can_be_asked_for_by_its_name(edited):
    figure = edited.folder / "results/geometry/figures/plane_full.pdf"
    before = figure.read_bytes()
    figure.unlink()
    run = edited.snakemake("results/geometry/figures/plane_full.pdf")
    assert run.returncode == 0, run.stdout
    assert figure.read_bytes() == before


@of_finished_study
def test_every_table_of_the_chapter_has_rows_and_every_group_its_figures(study):
    results = study.folder / "results/geometry"
    for kind in TABLES:
        assert len(pd.read_parquet(results / f"tables/{kind.name}.parquet")) > 0
    for group in GROUPS.values():
        assert all((results / f"figures/{name}.rst").read_text().strip() for name in group)


def test_a_matrix_of_the_wrong_shape_is_refused_before_any_job_starts(checkout):
    config = checkout.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("[[0.9, 0.2], [0.1, 1.0]]", "[[0.9, 0.2]]"))
    run = checkout.snakemake("--dry-run", "geometry")
    assert run.returncode != 0
    assert "geometry.plane.full.0" in run.stdout
    assert "at least 2 items" in run.stdout
