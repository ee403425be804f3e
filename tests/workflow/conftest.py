import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "config.yaml",
    "requirements.txt",
    "config",
    "paper",
    "resources",
    "rules",
    "scripts",
    "src",
)
HIDDEN = ("profiles", "envs")


@dataclass(frozen=True)
class Checkout:
    """A copy of the project in a folder of its own, and Snakemake run in it."""

    folder: Path

    def snakemake(self, *arguments, config="config/smoke.yaml", within=()):
        """Run as a user would; standard output and error are one text.

        What is run may be put within another command, such as ``cut_off``.
        """
        command = [*within, sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(
            [*command, "--configfile", config],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1800,
        )

    def jobs(self, *arguments, config="config/smoke.yaml"):
        """Rule and wildcards of every job that a run would start."""
        run = self.snakemake("--dry-run", *arguments, config=config)
        assert run.returncode == 0, run.stdout
        jobs, rule = [], None
        for line in run.stdout.splitlines():
            words = line.split()
            if words[:1] in (["rule"], ["localrule"]):
                rule = words[1].rstrip(":")
                jobs.append((rule, ""))
            elif words[:1] == ["wildcards:"]:
                jobs[-1] = (rule, " ".join(words[1:]))
        return jobs


def copy_project(folder):
    # Compiled kernels come along: compiling them is not what these tests are about.
    ignore = shutil.ignore_patterns("*.pyc", "*.egg-info")
    folder.mkdir(exist_ok=True)
    for name in (*PARTS, *HIDDEN):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy(source, folder / name)
    return Checkout(folder)


@pytest.fixture(scope="session")
def cut_off():
    """The command that runs another without a network; empty where the system has none."""
    command = ("unshare", "--map-root-user", "--net")
    if shutil.which(command[0]) is None:
        return ()
    tried = subprocess.run([*command, "true"], check=False, capture_output=True)
    return command if tried.returncode == 0 else ()


@pytest.fixture(scope="session")
def study(tmp_path_factory, cut_off):
    """The smoke study, built once and without a network; tests leave it finished."""
    checkout = copy_project(tmp_path_factory.mktemp("study"))
    run = checkout.snakemake(within=cut_off)
    assert run.returncode == 0, run.stdout
    return checkout


@pytest.fixture
def edited(study, tmp_path):
    """A finished study whose files may be changed."""
    return Checkout(shutil.copytree(study.folder, tmp_path / "study", symlinks=True))


@pytest.fixture
def checkout(tmp_path):
    """A fresh copy of the project with nothing built."""
    return copy_project(tmp_path)
