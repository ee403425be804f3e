"""What a run says: how long it may take, what it made, where it failed."""

import re

import yaml

MAP = "results/lut/maps/4bit/unsigned_16x16_r0.5.png"


def told(run):
    """Lines of what a run says of the time that it may take."""
    return [line for line in run.stdout.splitlines() if line.startswith("Expected time: ")]


def test_a_first_dry_run_goes_by_the_recorded_run(checkout):
    run = checkout.snakemake("--dry-run", "--quiet", "rules", config="config.yaml")
    assert run.returncode == 0, run.stdout
    said = told(run)
    assert said
    for line in said:
        assert re.match(
            r"Expected time: \d+ min on 2 cores, from the recorded run on \d+ cores? of .+ "
            r"\(\d+ jobs\)",
            line,
        )
        assert "earlier runs here" not in line


def test_a_damaged_record_is_refused_before_any_job_and_a_missing_one_is_no_hindrance(checkout):
    record = checkout.folder / "resources/recorded_run.json"
    record.write_text("{")
    run = checkout.snakemake(MAP)
    assert run.returncode != 0
    assert "resources/recorded_run.json: not a recorded run" in run.stdout
    assert "Traceback" not in run.stdout
    assert not (checkout.folder / MAP).exists()
    record.unlink()
    assert told(checkout.snakemake("--dry-run", MAP))[0].startswith("Expected time: unknown")


def test_what_ran_here_is_what_the_next_run_goes_by(checkout):
    run = checkout.snakemake(MAP)
    assert run.returncode == 0, run.stdout
    assert told(run) == ["Expected time: unknown, since no job was timed before: lut_map"]
    assert f"Made 1 file.\nLook first at\n  {MAP}\n" in run.stdout
    (checkout.folder / MAP).unlink()
    dry = checkout.snakemake("--dry-run", MAP)
    assert dry.returncode == 0, dry.stdout
    for line in told(dry):
        assert re.fullmatch(
            r"Expected time: \d+ s on 2 cores, from earlier runs here \(1 job\)", line
        )
    assert "Made" not in dry.stdout


def test_a_run_that_failed_names_the_rule_and_its_log(checkout):
    study = yaml.safe_load((checkout.folder / "config/smoke.yaml").read_text())
    study["models"]["minilm"]["sha256"] = "0" * 64
    (checkout.folder / "study.yaml").write_text(yaml.safe_dump(study))
    run = checkout.snakemake("results/weights/minilm/manifest.parquet", config="study.yaml")
    assert run.returncode != 0
    end = run.stdout.partition("What went wrong is told in\n")[2]
    assert end.startswith("  rule packaged_snapshot: results/weights/minilm/snapshot.log\n")
    assert "the same command goes on from here" in end
    assert "Look first at" not in run.stdout
