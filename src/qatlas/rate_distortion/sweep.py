"""Rate and distortion of one codec on many tensors."""

import resource
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from qatlas.codecs import registry
from qatlas.codecs.base import Codec, CodecError, Context
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.sampling import Estimate, drawn_rows, measure_sampled
from qatlas.seeds import generator
from qatlas.weights.matrices import Matrix

Plan = Mapping[str, Sequence[Mapping[str, Any]]]
"""Parameters of the points to measure, by the name of their series."""


@dataclass(frozen=True)
class Swept:
    """Rows of the tables ``measured`` and ``timings``."""

    measured: list[dict[str, Any]] = field(default_factory=list)
    timings: list[dict[str, Any]] = field(default_factory=list)


def sweep(
    matrices: Iterable[Matrix],
    family: str,
    plan: Plan,
    most_weights: Mapping[str, int],
    seed: int,
    threads: int,
) -> Swept:
    """Measure every point of a codec's plan on every matrix.

    Parameters
    ----------
    matrices
        Matrices, read as they are needed.
    family
        Name of the codec.
    plan
        Its points.
    most_weights
        The series that are measured on drawn rows, and how many weights these have at most. All
        series that draw as many rows of a matrix draw the same.
    seed
        Configured seed, from which all randomness derives.
    threads
        Threads of the job, for the record.

    Raises
    ------
    CodecError
        If the codec refuses a matrix or decodes it wrongly; the message names model, tensor,
        codec and parameters.
    """
    swept = Swept()
    for matrix in matrices:
        for series, points in plan.items():
            for parameters in points:
                most = most_weights.get(series, matrix.weight.numel())
                _measure_point(swept, matrix, family, series, parameters, most, seed, threads)
    return swept


def _measure_point(
    swept: Swept,
    matrix: Matrix,
    family: str,
    series: str,
    parameters: Mapping[str, Any],
    most_weights: int,
    seed: int,
    threads: int,
) -> None:
    codec = registry.create(family, **parameters)
    names = (matrix.model, matrix.tensor, family, registry.parameters_of(codec))
    try:
        estimate = _estimate(matrix, codec, Context(generator(seed, *names)), most_weights, seed)
    except CodecError as error:
        raise CodecError(f"model {matrix.model}, tensor {matrix.tensor}: {error}") from error
    key = dict(zip(("model", "tensor", "codec", "parameters"), names, strict=True))
    key["series"] = series
    swept.measured.append(key | _row(matrix, estimate, seed))
    swept.timings.append(
        key
        | {
            "encode_seconds": estimate.measurement.encode_seconds,
            "decode_seconds": estimate.measurement.decode_seconds,
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "device": matrix.weight.device.type,
            "threads": threads,
        }
    )


def _estimate(
    matrix: Matrix, codec: Codec, context: Context, most_weights: int, seed: int
) -> Estimate:
    """Measure all rows, or those drawn where these would be too many weights."""
    weight = matrix.weight
    rows = drawn_rows(
        weight.shape, most_weights, generator(seed, matrix.model, matrix.tensor, "rows")
    )
    if rows.size < weight.shape[0]:
        return measure_sampled(weight, rows, codec, context)
    measurement = measure_codec(weight, codec, context)
    mse = measurement.distortion.mse
    return Estimate(measurement, mse, mse)


def _row(matrix: Matrix, estimate: Estimate, seed: int) -> dict[str, Any]:
    measurement = estimate.measurement
    return {
        "kind": matrix.kind,
        "layer": matrix.layer,
        "weights": matrix.weight.numel(),
        "rate_bits_per_weight": measurement.rate.total,
        **{f"{part}_bits_per_weight": bits for part, bits in asdict(measurement.rate).items()},
        "nominal_bits": measurement.nominal_bits,
        **asdict(measurement.distortion),
        "train_mse": measurement.train_mse,
        "sampled_weights": measurement.weights,
        "mse_low": estimate.mse_low,
        "mse_high": estimate.mse_high,
        "seed": seed,
    }
