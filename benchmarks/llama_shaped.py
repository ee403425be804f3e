"""The workflow's jobs on a checkpoint of the shape of Llama 3.2 1B: wall time and peak memory.

The alternative is to load the whole model in float32, as programs that quantize a model do before
they start.
"""

import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from llama_checkpoint import LLAMA_3_2_1B, Shape, load_whole, write_checkpoint
from record import (
    Machine,
    Measurement,
    Record,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs.base import Codec
from qatlas.codecs.families.lloyd_max import LloydMax
from qatlas.codecs.families.uniform import Uniform
from qatlas.codecs.registry import name_of
from qatlas.job import job, progress
from qatlas.rate_distortion.schema import MEASURED, TIMINGS
from qatlas.rate_distortion.sweep import sweep
from qatlas.tables import read_table, write_table
from qatlas.weights.describe import describe
from qatlas.weights.manifest import MANIFEST, manifest, matrices
from qatlas.weights.matrices import Matrix, Shard, open_shards
from qatlas.weights.snapshot import open_snapshot
from qatlas.weights.statistics import DENSITIES, STATISTICS

TINY: Shape = LLAMA_3_2_1B | {
    "vocab_size": 512,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
"""On which the kernels are compiled before anything is measured."""

UNIFORM: dict[str, Codec] = {
    "per tensor": Uniform(4, "tensor"),
    "per channel": Uniform(4, "channel"),
    "groups of 128": Uniform(4, 128),
    "per channel, clipped for least error": Uniform(4, "channel", clip="mse"),
}
LLOYD_MAX: dict[str, Codec] = {"Lloyd-Max": LloydMax(4)}

THREADS = 1
GIB = 2**30
LARGEST_PEAK_GIB = 3.0


@dataclass(frozen=True)
class Running:
    """A job as Snakemake would describe it to the library."""

    rule: str
    log: tuple[str, ...]
    threads: int


@dataclass(frozen=True)
class Spent:
    """Wall time and peak memory of a process of its own."""

    seconds: float
    peak_gib: float


def run(parent: Path | None = None, shape: Shape = LLAMA_3_2_1B) -> Record:
    """Write a checkpoint, run the jobs on it, and delete it.

    Seconds include importing PyTorch, not starting Python or compiling kernels.

    Parameters
    ----------
    parent
        Where a temporary folder is made that takes the checkpoint, 2.5 GB for the default shape;
        by default where the system has such folders.
    shape
        Of the model.
    """
    before = machine(THREADS)
    with TemporaryDirectory(dir=parent) as folder:
        _spent_in_turn(Path(folder), TINY)
    with TemporaryDirectory(dir=parent) as folder:
        spent = _spent_in_turn(Path(folder), shape)
        return _record(Path(folder), spent, before)


def _write(folder: Path, shape: Shape) -> None:
    write_checkpoint(folder / "checkpoint", shape)


def _load_whole(folder: Path) -> None:
    load_whole(folder / "checkpoint")


def _manifest(folder: Path) -> None:
    snapshot = open_snapshot(folder / "checkpoint", "llama_shaped")
    rows = manifest(snapshot, partial(progress, what="tensor"))
    write_table(rows, MANIFEST, folder / "manifest.parquet")


def _statistics(folder: Path) -> None:
    described = describe(_matrices(folder))
    write_table(described.statistics, STATISTICS, folder / "statistics.parquet")
    write_table(described.densities, DENSITIES, folder / "densities.parquet")


def _sweep(folder: Path, codecs: dict[str, Codec]) -> None:
    (family,) = {name_of(codec) for codec in codecs.values()}
    plan = {series: [asdict(codec)] for series, codec in codecs.items()}
    swept = sweep(_matrices(folder), family, plan, {}, seed=0, threads=THREADS)
    write_table(swept.measured, MEASURED, folder / f"{family}.parquet")
    write_table(swept.timings, TIMINGS, folder / f"{family}.timings.parquet")


def _matrices(folder: Path) -> Iterator[Matrix]:
    whole = Shard("llama_shaped", str(folder / "checkpoint"), ("*",), smallest=1, index=0, count=1)
    rows = read_table(MANIFEST, folder / "manifest.parquet")
    return open_shards(rows, [whole], partial(progress, what="tensor"))


JOBS: dict[str, Callable[[Path], None]] = {
    "manifest": _manifest,
    "statistics": _statistics,
    "sweep of uniform, 4 points": partial(_sweep, codecs=UNIFORM),
    "sweep of Lloyd-Max, 1 point": partial(_sweep, codecs=LLOYD_MAX),
}


def _spent_in_turn(folder: Path, shape: Shape) -> dict[str, Spent]:
    """Write a checkpoint, then load it whole and run each job."""
    stages = {"write": partial(_write, shape=shape), "load whole": _load_whole, **JOBS}
    return {name: _spent(name, stage, folder) for name, stage in stages.items()}


def _spent(name: str, stage: Callable[[Path], None], folder: Path) -> Spent:
    # A new interpreter: a forked one would be charged for the memory of this.
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        spent = process.submit(_run_and_account, name, stage, folder).result()
    report_progress(f"{name}: {spent.seconds:.1f} s, {spent.peak_gib:.2f} GiB")
    return spent


def _run_and_account(name: str, stage: Callable[[Path], None], folder: Path) -> Spent:
    with job(Running(name, (str(folder / f"{name}.log"),), THREADS)):
        seconds, _ = timed(lambda: stage(folder))
    return Spent(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB)


def _record(folder: Path, spent: dict[str, Spent], before: Machine) -> Record:
    chosen = matrices(read_table(MANIFEST, folder / "manifest.parquet"), ("*",), 1)
    timings = read_table(TIMINGS, *folder.glob("*.timings.parquet"))
    points = (timings.encode_seconds + timings.decode_seconds).groupby(timings.series).sum()
    stored = sum(file.stat().st_size for file in folder.glob("checkpoint/*.safetensors"))
    weights = int(chosen.weights.sum())
    whole = spent["load whole"]
    jobs = {name: spent[name] for name in JOBS}
    return Record(
        name="llama_shaped",
        compares=(
            f"jobs on a bfloat16 checkpoint of {weights} weights in matrices, with loading the "
            "whole model in float32 by transformers"
        ),
        machine=before,
        measurements=(
            Measurement("checkpoint", "safetensors", stored / GIB, "GiB"),
            Measurement("largest matrix", "float32", 4 * int(chosen.weights.max()) / GIB, "GiB"),
            Measurement("load whole, time", "transformers", whole.seconds, "s"),
            Measurement("load whole, peak memory", "transformers", whole.peak_gib, "GiB"),
            *(measured for name in jobs for measured in _of_job(name, jobs[name], whole, weights)),
            *(
                Measurement(f"{series}, encoding and decoding", "qatlas", float(seconds), "s")
                for series, seconds in points.items()
            ),
        ),
        targets=tuple(
            at_most(f"{name}: peak memory in GiB", jobs[name].peak_gib, LARGEST_PEAK_GIB)
            for name in jobs
        ),
    )


def _of_job(name: str, spent: Spent, whole: Spent, weights: int) -> tuple[Measurement, ...]:
    time, memory = spent.seconds / whole.seconds, spent.peak_gib / whole.peak_gib
    return (
        Measurement(f"{name}, time", "qatlas", spent.seconds, "s"),
        Measurement(f"{name}, weights per second", "qatlas", weights / spent.seconds, "1/s"),
        Measurement(f"{name}, peak memory", "qatlas", spent.peak_gib, "GiB"),
        Measurement(f"{name}, time over that of loading whole", "qatlas", time, "1"),
        Measurement(f"{name}, peak over that of loading whole", "qatlas", memory, "1"),
    )


if __name__ == "__main__":
    print_record(run(Path(sys.argv[1]) if sys.argv[1:] else None))
