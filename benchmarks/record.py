"""What a benchmark found: speed and memory as ratios to a named alternative in the same run."""

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from time import perf_counter
from typing import TypeVar

from llvmlite.binding import get_host_cpu_name

Result = TypeVar("Result")


@dataclass(frozen=True)
class Machine:
    """What a benchmark ran on.

    Attributes
    ----------
    processor
        Its microarchitecture, as LLVM calls what it compiles for.
    cores
        Of the machine.
    memory_gib
        Of the machine.
    threads
        That PyTorch and the other numerical libraries were given.
    load_average
        Of the minute before the start.
    """

    processor: str
    cores: int
    memory_gib: float
    python: str
    numpy: str
    torch: str
    numba: str
    threads: int
    load_average: float


@dataclass(frozen=True)
class Measurement:
    """One measured number: of what, by which of the things compared, in which unit."""

    what: str
    by: str
    value: float
    unit: str


@dataclass(frozen=True)
class Target:
    """A number that was aimed at, and whether it was reached."""

    text: str
    value: float
    target: float
    holds: bool


@dataclass(frozen=True)
class Record:
    """Everything a benchmark found.

    Attributes
    ----------
    name
        Of the benchmark.
    compares
        What is compared with what.
    machine
        What it ran on.
    measurements, targets
        What was found.
    load_average_at_end
        Of the last minute; above 1 for a benchmark of one thread, or well above 0 at the start,
        others used the machine too, and the timings are those of a busy machine.
    """

    name: str
    compares: str
    machine: Machine
    measurements: tuple[Measurement, ...]
    targets: tuple[Target, ...]
    load_average_at_end: float = field(default_factory=lambda: os.getloadavg()[0])


def machine(threads: int) -> Machine:
    """Describe this machine, its libraries and its load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=get_host_cpu_name(),
        cores=os.cpu_count() or 1,
        memory_gib=memory / 2**30,
        python=platform.python_version(),
        numpy=version("numpy"),
        torch=version("torch"),
        numba=version("numba"),
        threads=threads,
        load_average=os.getloadavg()[0],
    )


def at_least(text: str, value: float, target: float) -> Target:
    """Aim at a value no lower than the target."""
    return Target(text, value, target, value >= target)


def at_most(text: str, value: float, target: float) -> Target:
    """Aim at a value no higher than the target."""
    return Target(text, value, target, value <= target)


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Wall time of a call in seconds, and what it returned."""
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def report_progress(message: str) -> None:
    """Say on stderr how far a benchmark is."""
    print(message, file=sys.stderr, flush=True)


def print_record(record: Record) -> None:
    """Print a record on stdout as one JSON document."""
    print(json.dumps(asdict(record), indent=2, allow_nan=False))
