"""How long the jobs at hand may be expected to take, from what they took before."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.paper.benchmark_files import SUFFIX, read_benchmark


@dataclass(frozen=True)
class PlannedJob:
    """A job that a run would start.

    Attributes
    ----------
    rule
        Name of its rule.
    benchmark
        Where its benchmark file lies or will lie; None if it has none.
    threads
        How many cores it takes.
    """

    rule: str
    benchmark: str | None
    threads: int


@dataclass(frozen=True)
class RecordedRun:
    """A run that comes with the project: what to go by before anything ran here.

    Attributes
    ----------
    machine
        Where it ran, in words.
    seconds
        Wall time of every job, by the place of its benchmark file.
    """

    machine: str
    seconds: Mapping[str, float]


NO_RUN = RecordedRun("no machine", {})
"""What there is to go by where no run was recorded."""


@dataclass(frozen=True)
class Expectation:
    """What a run may be expected to take.

    Attributes
    ----------
    seconds
        Wall time of the jobs whose time is known, spread over the cores.
    cores
        How many there are.
    here, recorded
        How many jobs' times are from earlier runs here, and from the recorded run.
    untimed
        Jobs of which no time is known, by their rule.
    """

    seconds: float
    cores: int
    here: int
    recorded: int
    untimed: Mapping[str, int]


def expected_time(jobs: Sequence[PlannedJob], record: RecordedRun, cores: int) -> Expectation:
    """Spread what jobs took before over the cores.

    No order of the jobs takes less than all their work shared evenly, nor less than the longest
    of them; the greater of the two is what is expected.

    Parameters
    ----------
    jobs
        Jobs that a run would start.
    record
        The run to go by for jobs that never ran here.
    cores
        How many cores the jobs share.
    """
    here: dict[PlannedJob, float] = {}
    recorded: dict[PlannedJob, float] = {}
    for job in jobs:
        if job.benchmark is None:
            continue
        try:
            here[job] = read_benchmark(job.benchmark).seconds
        except AtlasError:  # It never ran here, or was killed while it wrote.
            if job.benchmark in record.seconds:
                recorded[job] = record.seconds[job.benchmark]
    known = here | recorded
    work = sum(seconds * min(job.threads, cores) for job, seconds in known.items())
    return Expectation(
        seconds=max([work / cores, *known.values()]),
        cores=cores,
        here=len(here),
        recorded=len(recorded),
        untimed=Counter(job.rule for job in jobs if job not in known),
    )


def expectation_in_words(expectation: Expectation, machine: str) -> str:
    """What is expected and what it was taken from.

    Parameters
    ----------
    machine
        That of the recorded run.
    """
    rules = ", ".join(
        rule if count == 1 else f"{rule} ({count})"
        for rule, count in sorted(expectation.untimed.items())
    )
    sources = {
        "earlier runs here": expectation.here,
        f"the recorded run on {machine}": expectation.recorded,
    }
    known = [f"{source} ({_counted(n, 'job')})" for source, n in sources.items() if n]
    if not known:
        return f"Expected time: unknown, since no job was timed before: {rules}"
    cores = _counted(expectation.cores, "core")
    time = _duration(expectation.seconds)
    text = f"Expected time: {time} on {cores}, from {' and '.join(known)}"
    return f"{text}; not counted, since never timed: {rules}" if rules else text


def recorded_run(
    seconds: Mapping[str, float], machine: Mapping[str, Any], folder: str
) -> RecordedRun:
    """A finished run as one to go by.

    Parameters
    ----------
    seconds
        Wall time of every job, by its path under the folder of results.
    machine
        As provenance has it: processor and number of cores.
    folder
        Of the results.
    """
    return RecordedRun(
        machine=f"{_counted(machine['cores'], 'core')} of {machine['processor']}",
        seconds={f"{folder}/{job}{SUFFIX}": took for job, took in seconds.items()},
    )


def write_recorded_run(record: RecordedRun, path: str | Path) -> None:
    """Write it as JSON with sorted keys."""
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(asdict(record), indent=2, sort_keys=True) + "\n")


def read_recorded_run(path: str | Path) -> RecordedRun:
    """Read it again.

    Raises
    ------
    AtlasError
        If the file is no recorded run; the message says how to make one.
    """
    try:
        return RecordedRun(**json.loads(Path(path).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise AtlasError(
            f"{path}: not a recorded run ({error}); make it with `snakemake recorded_run`"
        ) from error


def _duration(seconds: float) -> str:
    """A time as precisely as it can be foreseen."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
