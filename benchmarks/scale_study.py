"""The study that is measured at several sizes, run by the workflow's own rules, and its jobs."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from record import report_progress

from qatlas.errors import AtlasError
from qatlas.paper.benchmark_files import SUFFIX, read_benchmark

ROOT = Path(__file__).parents[1]
MODEL = "scaled"
CODECS: dict[str, dict[str, Any]] = {
    "uniform_tensor": {"codec": "uniform", "bits": 4, "granularity": "tensor"},
    "uniform_channel": {"codec": "uniform", "bits": 4, "granularity": "channel"},
    "lloyd_max": {"codec": "lloyd_max", "bits": 4},
    "nf4": {"codec": "formats", "data_type": "nf4"},
    "gguf_q4_0": {"codec": "gguf_block", "data_type": "Q4_0"},
    "bitsandbytes_nf4": {
        "codec": "bitsandbytes_4bit",
        "data_type": "nf4",
        "most_weights": 1 << 21,
    },
    "rotate_uniform_channel_mse": {
        "codec": "rotate",
        "inner": {"codec": "uniform", "bits": 4, "granularity": "channel", "clip": "mse"},
    },
    "entropy_coded": {"codec": "entropy_coded", "rate": 4.0, "most_weights": 1 << 21},
    "vector_d2": {"codec": "vector", "dimension": 2, "index_bits": 8, "most_weights": 1 << 18},
    "lattice_e8_entropy": {
        "codec": "lattice",
        "lattice": "e8",
        "bits": 4.0,
        "coding": "entropy",
        "most_weights": 1 << 17,
    },
    "trellis": {"codec": "trellis", "bits": 4, "most_weights": 1 << 14},
}
"""Ten codecs at 4 bits. Those that keep several copies of what they quantize, and the slow ones,
are measured on rows drawn from large tensors, as in the default study."""

CHAPTERS = ("weights", "rate_distortion")
"""Targets of the whole study: their tables, summaries and figures."""

_TOOK = re.compile(r"done in [\d.]+ s, with ([\d.]+) s of CPU and at most (\d+) MiB\n?$")


@dataclass(frozen=True)
class JobCost:
    """What a job took.

    Attributes
    ----------
    job
        Its benchmark file under the results, without suffix.
    step
        What it is a part of: "manifest", "sweep of uniform", ...; see ``step_of``.
    seconds
        Wall time, by Snakemake's benchmark file.
    cpu_seconds
        Of the job's process, by the last line of its log.
    peak_mib
        Largest resident memory: the greater of the two accounts.
    """

    job: str
    step: str
    seconds: float
    cpu_seconds: float
    peak_mib: float


def configuration(checkpoint: Path) -> dict[str, Any]:
    """The study of a checkpoint; its shards follow from its size."""
    return {
        "seed": 2026,
        "models": {MODEL: {"path": str(checkpoint)}},
        "codecs": CODECS,
        "rate_distortion": {
            "example": {"model": MODEL, "tensor": "model.layers.0.self_attn.q_proj.weight"},
            "by_tensor": "uniform_tensor",
            "by_channel": "uniform_channel",
            "sensitivity_bits": 4,
            "allocation": {"budgets": [4.5, 5.0, 5.5], "shown_budget": 5.0},
        },
    }


def run_study(folder: Path, checkpoint: Path, targets: Sequence[str]) -> None:
    """Build targets of the study in a folder, on one core, one job after another."""
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(configuration(checkpoint.absolute()), sort_keys=False))
    report_progress(f"{folder}: {' '.join(targets)}")
    options = ["--cores", "1", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    files = ["--configfile", str(file), "--quiet", "rules", "progress"]
    subprocess.run(
        [sys.executable, "-m", "snakemake", *options, *files, "--rerun-incomplete", "--", *targets],
        check=True,
    )


def sweeps(families: Sequence[str], shards: int) -> list[str]:
    """Files of the sweeps of some codecs."""
    return [
        f"results/rate_distortion/sweep/{MODEL}/{family}/{shard}.parquet"
        for family in families
        for shard in range(shards)
    ]


def jobs_of(results: Path) -> list[JobCost]:
    """What every finished job took, in the order of their names."""
    return [_cost(path, results) for path in sorted(results.rglob(f"*{SUFFIX}"))]


def step_of(job: str) -> str:
    """What a job is a part of; whatever is made of tables is one step."""
    match job.split("/"):
        case ["weights", model, *parts] if model == MODEL:
            return parts[0]
        case ["rate_distortion", ("bounds" | "rotation") as step, *_]:
            return step
        case ["rate_distortion", "sweep", _, family, _]:
            return f"sweep of {family}"
    return "tables and figures"


def _cost(path: Path, results: Path) -> JobCost:
    job = str(path.relative_to(results)).removesuffix(SUFFIX)
    measured = read_benchmark(path)
    log = path.with_name(path.name.removesuffix(SUFFIX) + ".log").read_text()
    took = _TOOK.search(log)
    if took is None:
        raise AtlasError(f"the log of {job} does not end with what the job took")
    own = float(took[2])
    # NaN, of a job too short to be looked at, is greater than nothing.
    peak = measured.peak_memory_mib if measured.peak_memory_mib > own else own
    return JobCost(job, step_of(job), measured.seconds, float(took[1]), peak)
