import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qatlas import runs
from qatlas.written import damaged, note

OPENING = """
import logging, sys, warnings
from types import SimpleNamespace
from qatlas.codecs import CodecError
from qatlas.errors import AtlasError
from qatlas.job import job, progress
running = SimpleNamespace(rule="sweep", log=["sweep.log"], input=["given"], output=["made"])
with job(running):
"""


@pytest.fixture
def run(tmp_path):
    """Run lines of Python inside ``job`` in a process of their own; give it and its log."""

    def run_inside(*lines):
        program = OPENING + "".join(f"    {line}\n" for line in lines)
        finished = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return finished, (tmp_path / "sweep.log").read_text()

    return run_inside


def test_a_job_that_succeeds_logs_what_it_said_and_how_long_it_took(run):
    finished, log = run("logging.getLogger('qatlas').info('half way')", "warnings.warn('careful')")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    said, *warned, last = log.splitlines()
    assert said == "INFO qatlas: half way"
    assert "UserWarning: careful" in "".join(warned)
    took = r"INFO qatlas: done in [\d.]+ s, with [\d.]+ s of CPU and at most \d+ MiB"
    assert re.fullmatch(took, last)


def test_what_other_packages_say_is_logged_from_warnings_on(run):
    _, log = run(
        "logging.getLogger('fontTools.subset').info('glyf pruned')",
        "logging.getLogger('fontTools.subset').warning('no glyphs')",
    )
    assert log.splitlines()[0] == "WARNING fontTools.subset: no glyphs"
    assert "pruned" not in log


def test_a_warning_of_the_library_is_seen_on_the_terminal_too(run):
    finished, log = run("logging.getLogger('qatlas.sweep').warning('a series is skipped')")
    assert finished.stderr == "sweep: a series is skipped\n"
    assert log.startswith("WARNING qatlas.sweep: a series is skipped\n")


@pytest.mark.parametrize("error", ["AtlasError", "CodecError"])
def test_an_error_of_the_user_ends_a_job_with_its_message_and_the_rule(run, error):
    finished, log = run(f"raise {error}('key: found 3, allowed: 4; mend it')")
    assert finished.returncode == 1
    assert finished.stderr == "sweep: key: found 3, allowed: 4; mend it\n"
    assert log == "ERROR qatlas: key: found 3, allowed: 4; mend it\n"


@pytest.mark.parametrize(
    "asked", ["numpy.empty(1 << 58, numpy.uint8)", "torch.empty(1 << 58, dtype=torch.uint8)"]
)
def test_out_of_memory_ends_a_job_with_the_keys_to_change(run, asked):
    finished, log = run(f"import {asked.partition('.')[0]}", asked)
    assert finished.returncode == 1
    assert finished.stderr.startswith("sweep: out of memory (")
    assert "function.batch" in finished.stderr
    assert "Traceback" not in finished.stderr + log


def test_an_interrupted_job_says_so_and_no_more(run):
    finished, log = run("raise KeyboardInterrupt")
    assert finished.returncode == 1
    assert finished.stderr == "sweep: interrupted\n"
    assert log == "ERROR qatlas: interrupted\n"


INTERRUPT = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"


def test_a_job_that_is_interrupted_while_it_imports_says_nothing(monkeypatch):
    monkeypatch.setenv(runs.NAME, "a run")
    finished = subprocess.run(
        [sys.executable, "-c", f"import qatlas; {INTERRUPT}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (-signal.SIGINT, "")


def test_a_signal_interrupts_a_job_as_a_keyboard_does(run, monkeypatch):
    monkeypatch.setenv(runs.NAME, "")
    finished, _ = run(INTERRUPT)
    assert (finished.returncode, finished.stderr) == (1, "sweep: interrupted\n")


def test_a_job_does_not_begin_with_a_damaged_input(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given").write_text("3.25")
    note(["given"])
    (tmp_path / "given").write_text("3.75")
    finished, _ = run("print('begun')")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("sweep: given: damaged or edited since it was written")


def test_what_a_job_wrote_is_noted_and_what_a_killed_one_left_of_it_is_removed(
    run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in (".unfinished-12-made", ".unfinished-12-also-made", "unfinished-12-made"):
        (tmp_path / name).touch()
    finished, _ = run("open('made', 'w').write('whole')")
    assert (finished.returncode, finished.stderr) == (0, "")
    left = {path.name for path in tmp_path.glob("*unfinished*")}
    assert left == {".unfinished-12-also-made", "unfinished-12-made"}
    assert damaged() == []
    (tmp_path / "made").write_text("other")
    assert damaged() == [Path("made")]


def test_any_other_error_leaves_its_traceback_in_the_log_and_on_the_terminal(run):
    finished, log = run("numbers = []", "numbers[3]")
    assert finished.returncode == 1
    for text in (log, finished.stderr):
        assert "Traceback" in text
        assert "IndexError: list index out of range" in text
    assert log.startswith("ERROR qatlas: sweep failed")
    assert "done in" not in log


def test_a_job_begins_its_log_anew(run):
    run("raise AtlasError('at first')")
    _, log = run("pass")
    assert "at first" not in log


def test_progress_yields_the_items_and_logs_each(run):
    finished, log = run("print(list(progress(['a', 'b'], 'tensor')))")
    assert finished.stdout == "['a', 'b']\n"
    assert log.splitlines()[:2] == [
        "INFO qatlas: tensor 1 of 2: a",
        "INFO qatlas: tensor 2 of 2: b",
    ]


def test_progress_over_what_has_no_length_goes_on(run):
    finished, log = run("print(sum(progress(iter([1, 2]), 'item')))")
    assert finished.stdout == "3\n"
    assert "item 2 of ?: 2" in log


def test_progress_is_silent_while_it_is_quick(run):
    finished, _ = run("list(progress(range(100), 'item'))")
    assert finished.stderr == ""
