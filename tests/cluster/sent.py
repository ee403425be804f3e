"""Snakemake run with the profile of a cluster, as a user would."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.cluster.slurm import Cluster, until
from tests.workflow.conftest import copy_project

CONFIG = ("--configfile", "config/smoke.yaml")
# Jobs of a test are short, its network file system is a disk, and both nodes share the cores.
HERE = ("--slurm-init-seconds-before-status-checks=1", "--latency-wait=5", "--jobs=2")


class Sent:
    """A run of Snakemake whose jobs go to a cluster.

    Parameters
    ----------
    cluster
        Where to.
    folder
        An empty folder for a copy of the project.
    arguments
        What Snakemake is asked for.
    """

    def __init__(self, cluster: Cluster, folder: Path, *arguments: str) -> None:
        folder.mkdir()
        self.checkout = copy_project(folder)
        self.cluster = cluster
        self.arguments = arguments
        self.log = folder.with_suffix(".log")
        self.start()

    def start(self) -> None:
        """Start Snakemake, or start it again with the same command."""
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "slurm", *CONFIG]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.cluster.command(*command, *HERE, *self.arguments, folder=self.checkout.folder),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Snakemake, which is what `nsenter` waits for."""
        (snakemake,) = psutil.Process(self.process.pid).children()
        snakemake.send_signal(number)

    def until_a_job_runs(self, *others: str) -> tuple[str, str]:
        """Wait for a job but these whose step has started; its number and its node."""
        until(lambda: self._started(others) or self.process.poll() is not None, 200, "a job")
        assert self.process.poll() is None, self.told()
        return self._started(others)[0]

    def _started(self, others: tuple[str, ...]) -> list[tuple[str, str]]:
        jobs = self.cluster.running().items()
        return [
            (job, node)
            for job, node in jobs
            if job not in others and self.cluster.processes(f"slurmstepd: [{job}.0]")
        ]

    def ends_well(self, seconds: float = 500) -> None:
        """Wait for the end; everything that was asked for is there."""
        status = self.process.wait(seconds)
        assert status == 0, self.told()

    def told(self) -> str:
        """What Snakemake said so far."""
        return self.log.read_text()
