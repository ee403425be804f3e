import errno
import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.runs import FILE, NAME, between_runs, hold

HOLDER = """
import sys, time
from qatlas.runs import hold
hold()
print("held", flush=True)
{then}
"""
WAIT = "time.sleep(60)"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What a run in this process sets is undone with it.
    monkeypatch.setenv(NAME, "none")
    monkeypatch.delenv(NAME)


@pytest.fixture
def start():
    """Start processes that hold the folder; end them with the test."""
    started = []

    def start_one(then=WAIT):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(then=then)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def at_work():
    with between_runs() as said:
        return said


def test_a_folder_is_free_before_the_first_run():
    assert at_work() is None


def test_a_run_at_work_is_named_by_its_process(start):
    process = start()
    said = at_work()
    assert "another run is at work" in said
    assert f"process {process.pid} on" in said


def test_a_second_run_is_refused_while_the_first_is_alive_and_told_what_to_do(start):
    process = start()
    with pytest.raises(AtlasError, match=rf"process {process.pid} .*--directory"):
        hold()


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_killed_leaves_the_folder_free(start, signal_number):
    process = start()
    process.send_signal(signal_number)
    process.wait()
    assert at_work() is None
    assert json.loads(FILE.read_text())["pid"] == process.pid
    start()


def test_a_run_that_came_to_its_end_says_so(start):
    process = start(then="")
    process.wait()
    assert json.loads(FILE.read_text())["ended"]
    assert at_work() is None


def test_programs_that_a_run_started_do_not_hold_the_folder_after_it(start):
    child = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    process = start(then=f"{child}; {WAIT}")
    orphan = int(process.stdout.readline())
    process.kill()
    process.wait()
    try:
        os.kill(orphan, 0)
        assert at_work() is None
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_no_run_begins_while_another_command_looks(start):
    with between_runs():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER.format(then="")], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    assert process.communicate(timeout=30)[0] == "held\n"


def test_a_run_of_another_machine_that_did_not_end_is_not_taken_for_dead(start):
    process = start()
    process.kill()
    process.wait()
    last = json.loads(FILE.read_text())
    FILE.write_text(json.dumps(last | {"host": "elsewhere", "boot": "another"}))
    assert "elsewhere" in at_work()
    assert "snakemake --unlock" in at_work()
    FILE.write_text(json.dumps(last | {"host": "elsewhere", "boot": "another", "ended": True}))
    assert at_work() is None


def test_a_container_of_this_machine_that_was_killed_is_dead(start):
    process = start()
    process.kill()
    process.wait()
    last = json.loads(FILE.read_text())
    FILE.write_text(json.dumps(last | {"host": "container"}))
    assert at_work() is None


def test_a_file_system_without_locks_is_named_and_runs_all_the_same(monkeypatch):
    def refuse(handle, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert "No locks available" in at_work()
    hold()


def test_a_file_of_runs_that_is_cut_off_or_strange_is_no_run(start):
    FILE.parent.mkdir(parents=True)
    for content in ("", "{", "[]", '{"pid": 1}'):
        FILE.write_text(content)
        assert at_work() is None


def test_a_job_of_a_run_that_has_a_successor_writes_nothing(start, tmp_path, monkeypatch):
    start(then="").wait()
    first = json.loads(FILE.read_text())
    monkeypatch.setenv(NAME, f"{first['host']}-{first['pid']}-{first['began_ns']}")
    with replacing(tmp_path / "result") as unfinished:
        unfinished.write_text("of the run at work")
    start(then="").wait()
    with (
        pytest.raises(AtlasError, match="another has begun"),
        replacing(tmp_path / "result") as unfinished,
    ):
        unfinished.write_text("of a run that was killed")
    assert (tmp_path / "result").read_text() == "of the run at work"
    assert not list(tmp_path.glob(".unfinished*"))
