"""What the study of a model would take, from rates measured on smaller ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from growth import Growth
from llama_checkpoint import Shape, matrix_shapes

from qatlas.sharding import shards_for

BYTES_A_WEIGHT = 2
"""Of a checkpoint in bfloat16."""
WHOLE = "manifest"
"""The one step that is not shared among jobs."""


@dataclass(frozen=True)
class Rate:
    """CPU seconds of a step: of a job's start, of a matrix whatever its size, of a weight."""

    a_job: float
    a_matrix: float
    a_weight: float

    def seconds(self, jobs: float, matrices: float, weights: float) -> float:
        """Of so many jobs that together measure so many matrices and weights."""
        return jobs * self.a_job + matrices * self.a_matrix + weights * self.a_weight


@dataclass(frozen=True)
class Plan:
    """A study on paper.

    Attributes
    ----------
    weights, largest
        Of all matrices, and of the largest.
    shards, jobs
        Jobs that share a step, and all jobs that read weights.
    bytes_read
        By all of these together: each step goes over the checkpoint once.
    cpu_seconds
        Of all these jobs.
    longest_step, longest_seconds
        The job that takes longest, on one core, and its CPU seconds.
    longest_shared_step, longest_shared_seconds
        The same of the steps that jobs share.
    peak_step, peak_mib
        The job that takes most memory.
    """

    weights: int
    largest: int
    shards: int
    jobs: int
    bytes_read: int
    cpu_seconds: float
    longest_step: str
    longest_seconds: float
    longest_shared_step: str
    longest_shared_seconds: float
    peak_step: str
    peak_mib: float


def weights_of_matrices(shape: Shape) -> list[int]:
    """Weights of every matrix."""
    return [rows * columns for rows, columns, count in matrix_shapes(shape) for _ in range(count)]


def measured_weights(shape: Shape, most: int | None = None) -> int:
    """Weights of all matrices, of each at most so many."""
    return sum(min(weights, most or weights) for weights in weights_of_matrices(shape))


def plan(
    shape: Shape,
    rates: Mapping[str, Rate],
    memory: Mapping[str, Growth],
    most_weights: Mapping[str, int],
) -> Plan:
    """A study of the steps whose rates are known.

    Parameters
    ----------
    shape
        Of the model.
    rates
        What every step takes.
    memory
        Peak memory of a step's jobs, MiB, in the weights of the largest matrix.
    most_weights
        Steps that measure at most so many weights of a matrix.
    """
    matrices = weights_of_matrices(shape)
    weights, largest = sum(matrices), max(matrices)
    shards = shards_for(matrices)
    # The largest matrix is a shard of its own where it has more weights than the others share.
    share = max(largest, weights / shards) / weights
    cost, longest = {}, {}
    for step, rate in rates.items():
        measured = measured_weights(shape, most_weights.get(step))
        jobs, part = (1, 1.0) if step == WHOLE else (shards, share)
        cost[step] = rate.seconds(jobs, len(matrices), measured)
        longest[step] = rate.seconds(1, len(matrices) / jobs, measured * part)
    shared = {step: value for step, value in longest.items() if step != WHOLE}
    peaks = {step: found.at(largest) for step, found in memory.items() if step in rates}
    return Plan(
        weights=weights,
        largest=largest,
        shards=shards,
        jobs=sum(1 if step == WHOLE else shards for step in rates),
        bytes_read=BYTES_A_WEIGHT * weights * len(rates),
        cpu_seconds=sum(cost.values()),
        longest_step=max(longest, key=longest.__getitem__),
        longest_seconds=max(longest.values()),
        longest_shared_step=max(shared, key=shared.__getitem__),
        longest_shared_seconds=max(shared.values()),
        peak_step=max(peaks, key=peaks.__getitem__),
        peak_mib=max(peaks.values()),
    )
