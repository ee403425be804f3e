"""What Snakemake measured of a job, as its benchmark file holds it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from qatlas.errors import AtlasError

SUFFIX = ".benchmark.tsv"


@dataclass(frozen=True)
class Measured:
    """What a job took.

    Attributes
    ----------
    seconds
        Wall time.
    peak_memory_mib
        Peak resident memory in MiB; NaN for a job too short to be sampled.
    """

    seconds: float
    peak_memory_mib: float


def read_benchmark(path: str | Path) -> Measured:
    """What the job of a benchmark file took.

    Raises
    ------
    AtlasError
        If the file is not one; the message says how to be rid of it.
    """
    try:
        with Path(path).open(newline="") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        return Measured(_number(row["s"]), _number(row["max_rss"]))
    except (OSError, StopIteration, KeyError, ValueError) as error:
        raise AtlasError(
            f"{path}: not a benchmark file of Snakemake ({error!r}); delete it and run snakemake "
            "again"
        ) from error


def _number(cell: str | None) -> float:
    """A measured number; NA stands for what was not sampled, and a dash did in older versions."""
    if cell is None:
        raise ValueError("the row is cut off")
    return float("nan") if cell in ("NA", "-") else float(cell)
