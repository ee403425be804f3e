"""Maps: made together or by name, made again when they are damaged or the range changes."""

import json
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from qatlas.lut.map_files import open_map

# One worker runs those of the finished study, so that it is built once.
of_finished_study = pytest.mark.xdist_group("study")

MAPS = "results/lut/maps"
MAP = f"{MAPS}/4bit/signed_log_16x16_r2.0.png"


def edit(path):
    with Image.open(path) as image:
        pixels = np.array(image)
    pixels[2, 3] ^= 1
    Image.fromarray(pixels).save(path)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("damage", [edit, truncate])
def test_a_damaged_map_is_made_again_and_never_used(checkout, damage):
    assert checkout.snakemake(MAP).returncode == 0
    path = checkout.folder / MAP
    sound = sha256(path.read_bytes()).hexdigest()
    damage(path)
    run = checkout.snakemake(MAP)
    assert run.returncode == 0, run.stdout
    assert f"{MAP}: " in run.stdout
    assert sha256(path.read_bytes()).hexdigest() == sound
    assert checkout.jobs(MAP) == []


def test_a_map_that_the_study_does_not_have_is_made_by_its_name(checkout):
    path = f"{MAPS}/7bit/unsigned_100x100_r0.5.png"
    assert checkout.jobs(path) == [("lut_map", "bits=7, map=unsigned_100x100_r0.5")]
    run = checkout.snakemake(path)
    assert run.returncode == 0, run.stdout
    table = open_map(checkout.folder / path)
    assert (table.name, table.size, table.limit) == ("unsigned", 100, 0.5)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("6bit/unsigned_100x100_r0.5.png", "goes by the name 7bit/unsigned_100x100_r0.5.png"),
        ("7bit/unsined_100x100_r0.5.png", "did you mean 'unsigned'"),
        ("7bit/unsigned_100x100_r-0.5.png", "range -0.5 of a table"),
    ],
)
def test_a_name_that_no_map_has_is_refused_before_any_job(checkout, path, said):
    run = checkout.snakemake(f"{MAPS}/{path}")
    assert run.returncode != 0
    assert said in run.stdout
    assert not (checkout.folder / "results").exists()


@of_finished_study
def test_another_range_makes_other_maps(edited):
    config = edited.folder / "config/smoke.yaml"
    config.write_text(config.read_text().replace("\nlut:\n", "\nlut:\n  range: 1.5\n"))
    rules = {rule for rule, _ in edited.jobs("lut")}
    simulated = {"lut_simulations", "lut_plots"}
    assert rules == {"lut_maps", "lut_errors", "lut_summary", "lut_figure", "lut"} | simulated


@of_finished_study
def test_drawing_other_variants_simulates_nothing_again(edited):
    config = edited.folder / "config/smoke.yaml"
    smoke = config.read_text()
    config.write_text(smoke.replace("methods: [stochastic]}", "methods: [nearest]}"))
    assert smoke != config.read_text()
    rules = {rule for rule, _ in edited.jobs("lut")}
    assert "lut_plots" in rules
    assert "lut_simulations" not in rules


@of_finished_study
def test_a_table_of_the_user_is_measured_beside_the_others(edited):
    np.save(edited.folder / "mine.npy", np.zeros((8, 8)))
    config = edited.folder / "config/smoke.yaml"
    config.write_text(
        config.read_text().replace("\nlut:\n", "\nlut:\n  tables: {mine: mine.npy}\n")
    )
    run = edited.snakemake("results/lut/summary.json")
    assert run.returncode == 0, run.stdout
    values = json.loads((edited.folder / "results/lut/summary.json").read_text())["values"]
    assert values["maps.mine.8.rank"]["value"] == 1


def test_a_table_of_the_user_that_is_none_is_refused_before_any_job(checkout):
    np.save(checkout.folder / "wrong.npy", np.full((8, 8), np.nan))
    config = checkout.folder / "config/smoke.yaml"
    smoke = config.read_text()
    config.write_text(smoke.replace("\nlut:\n", "\nlut:\n  tables: {mine: wrong.npy}\n"))
    run = checkout.snakemake("--dry-run")
    assert run.returncode != 0
    assert "lut.tables.mine: wrong.npy: NaN in row 0, column 0" in run.stdout
