"""Snakemake as a process that is stopped, killed and started again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow.conftest import Checkout


@dataclass(frozen=True)
class Faulty(Checkout):
    """A checkout whose runs can be disturbed; the command is the same every time."""

    targets: tuple[str, ...] = ()
    config: str = "config/smoke.yaml"

    @property
    def command(self):
        snakemake = [sys.executable, "-m", "snakemake", *self.targets, "--cores", "2"]
        return [*snakemake, "--configfile", self.config]

    def start(self):
        """Start a run, in a process group of its own."""
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self):
        """Run to the end; give the exit status and what was said."""
        run = self.start()
        said, _ = run.communicate(timeout=3600)
        return run.returncode, said

    def job(self, script, timeout=120):
        """Wait until a job of that script has begun its work; give the number of its process."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for process in Path("/proc").glob("[0-9]*"):
                if self._is_job(process, script):
                    return int(process.name)
            time.sleep(0.02)
        raise AssertionError(f"no job {script} began within {timeout} s")

    def _is_job(self, process, script):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").readlink() == self.folder
        except OSError:
            return False
        return here and len(words) > 1 and words[1].endswith(f".{script}.py".encode())


def kill_all(run):
    """What an ended session, a memory limit or a power button does: no process is asked."""
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def kill_snakemake_alone(run):
    """Its jobs go on without it."""
    run.kill()
    run.wait()


def ended(process):
    """Whether a process is gone."""
    return not Path(f"/proc/{process}").exists()


def wait_until_ended(process, timeout=60):
    until = time.monotonic() + timeout
    while not ended(process):
        assert time.monotonic() < until
        time.sleep(0.1)


def require_mounts():
    """Skip, and say so, where this process may not mount a file system of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: no small or read-only file system to be had")
    allowed = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if allowed.returncode:
        pytest.skip(f"no file system can be mounted here: {allowed.stderr.strip()}")
