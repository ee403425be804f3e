"""The workflow on checkpoints of growing size: memory and time of every job, and how they grow.

`make bench-scale` writes what it finds into resources/scale.json, from which docs/scaling.md is
made. What a size took is kept in a file of its own until then, so that a run that was stopped goes
on, and a size may be measured in parts (`--steps`, `--shards`). `--sizes 8.03e9` measures a
checkpoint of the shape of Llama 3.1 8B, which takes 16 GB of disk and hours.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter
from typing import Any

from growth import Growth, growth
from llama_checkpoint import (
    LLAMA_3_2_1B,
    LLAMAS,
    Shape,
    number_of_parameters,
    scaled,
    write_checkpoint,
)
from record import Machine, machine, report_progress
from scale_plan import Rate, measured_weights, plan, weights_of_matrices
from scale_study import CHAPTERS, CODECS, MODEL, ROOT, JobCost, jobs_of, run_study, sweeps

from qatlas.sharding import shards_for

SMALL = (20e6, 40e6, 80e6, 160e6)
"""Parameters of the checkpoints that growth is fitted to."""
LARGE = float(number_of_parameters(LLAMA_3_2_1B))
"""Parameters of the one that the fit is held against, unless a larger one was measured."""
NAMED_WITHIN = 0.01
"""Share by which parameters may miss those of a well-known model to mean that model."""
FEWEST_SIZES = 3
"""At which a step must have been measured for a line to be judged."""
FULL_STUDY = ROOT / "config" / "llama-3.2-1b.yaml"
THREADS = 1
STEPS = {
    "manifest": lambda shards: [f"results/weights/{MODEL}/manifest.parquet"],
    "statistics": lambda shards: _of_shards(f"results/weights/{MODEL}/statistics", shards),
    "bounds": lambda shards: _of_shards(f"results/rate_distortion/bounds/{MODEL}", shards),
    "rotation": lambda shards: _of_shards(f"results/rate_distortion/rotation/{MODEL}", shards),
    **{
        f"sweep of {family}": lambda shards, family=family: sweeps([family], shards)
        for family in sorted({codec["codec"] for codec in CODECS.values()})
    },
}
"""What reads weights, and the files that it makes of so many shards."""
MOST_WEIGHTS = {
    f"sweep of {codec['codec']}": codec["most_weights"]
    for codec in CODECS.values()
    if "most_weights" in codec
}
"""Weights of a matrix that a step measures at most."""


@dataclass(frozen=True)
class Size:
    """What a shape of a model comes to.

    Attributes
    ----------
    parameters
        Stored weights, those of norms too.
    matrices, weights
        How many matrices are quantized, and their weights.
    largest
        Weights of the largest matrix.
    shards
        As many as the rule makes of them.
    """

    parameters: int
    matrices: int
    weights: int
    largest: int
    shards: int


@dataclass(frozen=True)
class Measured:
    """What the study of one checkpoint took, on which machine."""

    size: Size
    machine: Machine
    jobs: tuple[JobCost, ...]


def shape_of(parameters: float) -> Shape:
    """A well-known model with about so many parameters, or else one scaled to them."""
    for shape in LLAMAS.values():
        known = number_of_parameters(shape)
        if abs(parameters - known) <= NAMED_WITHIN * known:
            return shape
    return scaled(parameters)


def size_of(shape: Shape) -> Size:
    """What a shape comes to."""
    weights = weights_of_matrices(shape)
    return Size(
        parameters=number_of_parameters(shape),
        matrices=len(weights),
        weights=sum(weights),
        largest=max(weights),
        shards=shards_for(weights),
    )


def measure(parameters: float, folder: Path, steps: Sequence[str], shards: int | None) -> None:
    """Run steps of the study of one size, and note what all its jobs took until now.

    Parameters
    ----------
    parameters
        About how many the checkpoint has.
    folder
        For all sizes.
    steps
        Those of ``STEPS`` to run; if there are none, the whole of both chapters.
    shards
        Of every step so many, the first of which has the largest matrix; None for all.
    """
    shape = shape_of(parameters)
    size, before = size_of(shape), machine(THREADS)
    study = folder / str(size.parameters)
    checkpoint = study / "checkpoint"
    if not checkpoint.is_dir():
        unfinished = study / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_checkpoint(unfinished, shape)
        unfinished.rename(checkpoint)
    targets = [file for step in steps for file in STEPS[step](shards or size.shards)] or CHAPTERS
    run_study(study, checkpoint, targets)
    found = Measured(size, before, tuple(jobs_of(study / "results")))
    (folder / f"{size.parameters}.json").write_text(json.dumps(asdict(found)))


def time_dry_run(folder: Path) -> dict[str, float]:
    """Seconds in which the jobs of the full Llama study are listed, and how many they are."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"]
    files = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--configfile", FULL_STUDY]
    # Compiled modules and checked configuration are there the second time, as they always are.
    for _ in range(2):
        used, started = _children_cpu(), perf_counter()
        run = subprocess.run([*command, *files], check=True, capture_output=True, text=True)
        seconds, cpu = perf_counter() - started, _children_cpu() - used
    # Snakemake tells how many jobs of each rule there are, and all: before the jobs and after.
    totals = re.findall(r"^total +(\d+)$", run.stdout, re.MULTILINE)
    return {"jobs": int(totals[-1]), "seconds": seconds, "cpu_seconds": cpu}


def record(folder: Path, dry_run: dict[str, float]) -> dict[str, Any]:
    """Everything measured, how it grows, and what follows for other shapes."""
    runs = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    runs.sort(key=lambda run: run["size"]["parameters"])
    found = growth_of_all(runs)
    rates = {step: Rate(**rate) for step, rate in found["rates"].items()}
    memory = {step: Growth(**line) for step, line in found["memory_mib"].items()}
    return {
        **found,
        "sizes": runs,
        "steps": list(STEPS),
        "large_on_the_lines": {
            step: _on_the_line(runs[-1], step, rate)
            for step, rate in rates.items()
            if _jobs(runs[-1], step)
        },
        "most_weights": MOST_WEIGHTS,
        "codecs": CODECS,
        "dry_run": dry_run,
        "plans": {
            name: asdict(plan(shape, rates, memory, MOST_WEIGHTS)) for name, shape in LLAMAS.items()
        },
        "load_average_at_end": os.getloadavg()[0],
    }


def growth_of_all(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """CPU seconds over all sizes but the largest, and peak memory over all, of every step."""
    small = [run for run in runs if run["size"]["parameters"] < runs[-1]["size"]["parameters"] / 2]
    had = {step: [run for run in small if _jobs(run, step)] for step in STEPS}
    steps = [step for step in STEPS if len(had[step]) >= FEWEST_SIZES]
    seconds = {step: seconds_of(step, had[step]) for step in steps if _grows(step, had[step])}
    of_all = [step for step in steps if len(had[step]) == len(small)]
    total = [sum(_cost(run, step) for step in of_all) for run in small]
    together = growth([run["size"]["weights"] for run in small], total)
    rates = rates_of({step: had[step] for step in steps}, seconds)
    return {
        "seconds": {step: asdict(found) for step, found in seconds.items()},
        "together": {"steps": of_all, **asdict(together)},
        "rates": {step: asdict(rate) for step, rate in rates.items()},
        "memory_mib": {
            step: asdict(memory_of(step, having))
            for step, having in {s: [r for r in runs if _jobs(r, s)] for s in STEPS}.items()
            if len(having) >= FEWEST_SIZES
        },
    }


def seconds_of(step: str, runs: Sequence[dict[str, Any]]) -> Growth:
    """CPU seconds of a step in the weights that it measures."""
    return growth([_measured(run, step) for run in runs], [_cost(run, step) for run in runs])


def rates_of(
    runs_of: Mapping[str, Sequence[dict[str, Any]]], seconds: Mapping[str, Growth]
) -> dict[str, Rate]:
    """What every step takes: by its line, or where it measures as much of all sizes, by the mean.

    All sizes have as many matrices. So what a line has at no weights is the start of a job, and
    beyond that so much a matrix. The start is taken to be the least that any job took: jobs of the
    smallest checkpoint do little else.

    Parameters
    ----------
    runs_of
        Runs that have a step.
    seconds
        The lines that there are.
    """
    jobs = [job for step, runs in runs_of.items() for run in runs for job in _jobs(run, step)]
    start = min(job["cpu_seconds"] for job in jobs)
    rates = {}
    for step, runs in runs_of.items():
        matrices = runs[0]["size"]["matrices"]
        if step in seconds:
            a_matrix = max(0.0, seconds[step].intercept - start) / matrices
            # What does not grow has a slope that is noise, on either side of zero.
            rates[step] = Rate(start, a_matrix, max(0.0, seconds[step].slope))
        else:
            spent = sum(_cost(run, step) - start for run in runs)
            rates[step] = Rate(start, 0.0, spent / sum(_measured(run, step) for run in runs))
    return rates


def memory_of(step: str, runs: Sequence[dict[str, Any]]) -> Growth:
    """Peak memory of a step's jobs, MiB, in the weights of the largest matrix."""
    peaks = [max(job["peak_mib"] for job in _jobs(run, step)) for run in runs]
    return growth([run["size"]["largest"] for run in runs], peaks)


def _grows(step: str, runs: Sequence[dict[str, Any]]) -> bool:
    """Whether a step has more to measure of larger checkpoints."""
    return _measured(runs[-1], step) > 2 * _measured(runs[0], step)


def _measured(run: dict[str, Any], step: str) -> int:
    """Weights of a checkpoint that a step measures."""
    return measured_weights(shape_of(run["size"]["parameters"]), MOST_WEIGHTS.get(step))


def _on_the_line(run: dict[str, Any], step: str, rate: Rate) -> float:
    """Seconds by the rate of the jobs that a run has.

    Those are all, or the one of the largest matrix.

    Raises
    ------
    ValueError
        If there are others, or that shard has other matrices too.
    """
    size, jobs = run["size"], _jobs(run, step)
    if step == "manifest" or len(jobs) == size["shards"]:
        return rate.seconds(len(jobs), size["matrices"], _measured(run, step))
    if len(jobs) != 1 or size["largest"] < size["weights"] / size["shards"]:
        raise ValueError(f"{step} was measured on some of {size['shards']} shards")
    return rate.seconds(1, 1, min(size["largest"], MOST_WEIGHTS.get(step, size["largest"])))


def _jobs(run: dict[str, Any], step: str) -> list[dict[str, Any]]:
    return [job for job in run["jobs"] if job["step"] == step]


def _cost(run: dict[str, Any], step: str) -> float:
    return float(sum(job["cpu_seconds"] for job in _jobs(run, step)))


def _of_shards(folder: str, shards: int) -> list[str]:
    return [f"{folder}/{shard}.parquet" for shard in range(shards)]


def _children_cpu() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure sizes one after another and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where checkpoints and results lie meanwhile")
    parser.add_argument("--sizes", type=float, nargs="*", default=(*SMALL, LARGE))
    parser.add_argument(
        "--steps", nargs="*", choices=STEPS, default=(), help="by default all and figures"
    )
    parser.add_argument("--shards", type=int, help="so many of every step, by default all")
    parser.add_argument("--record", type=Path, help="what of all sizes in the folder is written to")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for parameters in given.sizes:
        measure(parameters, given.folder.absolute(), given.steps, given.shards)
    if given.record is None:
        return
    report_progress("dry run of the full study")
    found = record(given.folder, time_dry_run(given.folder.absolute()))
    given.record.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
