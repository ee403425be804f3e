"""A sweep over methods and bit widths, measured here and computed in straightforward NumPy.

Here a point is the whole ruler: encoding to packed bytes, decoding these, rate and distortion.
In NumPy it is the reconstruction and its MSE.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from statistics import median

import numpy as np
import plain_numpy
import torch
from record import (
    Measurement,
    Record,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs.base import Codec, Context
from qatlas.codecs.families.lloyd_max import LloydMax
from qatlas.codecs.families.uniform import Uniform
from qatlas.codecs.measure import measure_codec

THREADS = 1
"""As the jobs of the workflow have; the tensors of a sweep are too small to share among cores."""


@dataclass(frozen=True)
class Method:
    """A way to quantize, by bits: the codec here, and the reconstruction in NumPy."""

    codec: Callable[[int], Codec]
    plain: Callable[[plain_numpy.Weights, int], plain_numpy.Weights]


@dataclass(frozen=True)
class Point:
    """Seconds and MSE of a method at a bit width."""

    seconds: float
    mse: float


Points = dict[tuple[str, int], Point]

METHODS = {
    "per tensor": Method(
        lambda bits: Uniform(bits, "tensor"),
        lambda weight, bits: plain_numpy.uniform(weight, bits, weight.size),
    ),
    "per tensor, clipped at 3 sigma": Method(
        lambda bits: Uniform(bits, "tensor", clip=3.0),
        lambda weight, bits: plain_numpy.uniform(weight, bits, weight.size, 3.0),
    ),
    "per channel": Method(
        lambda bits: Uniform(bits, "channel"),
        lambda weight, bits: plain_numpy.uniform(weight, bits, weight.shape[1]),
    ),
    "groups of 128": Method(
        lambda bits: Uniform(bits, 128),
        lambda weight, bits: plain_numpy.uniform(weight, bits, 128),
    ),
    "groups of 32": Method(
        lambda bits: Uniform(bits, 32),
        lambda weight, bits: plain_numpy.uniform(weight, bits, 32),
    ),
    # NumPy's levels are float32 too.
    "Lloyd-Max": Method(lambda bits: LloydMax(bits, "float32"), plain_numpy.lloyd_max),
}


def run(
    rows: int = 2048,
    columns: int = 1024,
    more_columns: int = 8192,
    bits: tuple[int, ...] = (2, 3, 4, 5, 6, 8),
    repeats: int = 5,
) -> Record:
    """Sweep a float32 matrix of Student-t weights, 6 degrees of freedom, with both.

    Parameters
    ----------
    rows, columns
        Sides of the matrix.
    more_columns
        Of a larger matrix, for the growth of the cost.
    bits
        Bit widths.
    repeats
        Measurements of a point here, of which the median time counts; NumPy has one.
    """
    before = machine(THREADS)
    torch.set_num_threads(THREADS)
    matrix, larger = _sampled(rows, columns), _sampled(rows, more_columns)
    for method in METHODS.values():
        _by_qatlas(method, matrix, bits[0])
    ours: Points = {}
    ours_larger: Points = {}
    theirs: Points = {}
    # What is compared is timed side by side, so that a change of the machine's load meets both.
    for key in product(METHODS, bits):
        ours[key] = _point(_by_qatlas, key, matrix, repeats)
        theirs[key] = _point(_by_numpy, key, matrix, 1)
        ours_larger[key] = _point(_by_qatlas, key, larger, repeats)
        report_progress(f"{key}: {ours[key].seconds:.3f} s, NumPy {theirs[key].seconds:.3f} s")

    uniform = [ours[key].mse / theirs[key].mse for key in ours if key[0] != "Lloyd-Max"]
    optimal = [ours[key].mse / theirs[key].mse for key in ours if key[0] == "Lloyd-Max"]
    growth = _total(ours_larger) / larger.size / (_total(ours) / matrix.size)
    return Record(
        name="sweep_vs_numpy",
        compares=(
            f"measuring {len(ours)} points on a {rows} x {columns} float32 Student-t(6) matrix, "
            "with straightforward NumPy"
        ),
        machine=before,
        measurements=(
            *_measurements(f"{rows} x {columns}", "qatlas", ours),
            *_measurements(f"{rows} x {columns}", "NumPy", theirs),
            *_measurements(f"{rows} x {more_columns}", "qatlas", ours_larger),
        ),
        targets=(
            at_least("times as fast as NumPy, all points", _total(theirs) / _total(ours), 50),
            at_most("largest MSE of Lloyd-Max over NumPy's, of all widths", max(optimal), 1),
            at_most(
                "largest relative difference of the other methods' MSE from NumPy's",
                max(abs(ratio - 1) for ratio in uniform),
                0.01,
            ),
            at_most(f"cost per weight with {more_columns} columns, relative", growth, 1.3),
        ),
    )


def _sampled(rows: int, columns: int) -> plain_numpy.Weights:
    drawn = np.random.default_rng(0).standard_t(6, (rows, columns))
    return drawn.astype(np.float32)


def _point(
    mse: Callable[[Method, plain_numpy.Weights, int], float],
    key: tuple[str, int],
    matrix: plain_numpy.Weights,
    repeats: int,
) -> Point:
    name, bits = key
    runs = [timed(lambda: mse(METHODS[name], matrix, bits)) for _ in range(repeats)]
    return Point(median(seconds for seconds, _ in runs), runs[0][1])


def _by_qatlas(method: Method, matrix: plain_numpy.Weights, bits: int) -> float:
    weight = torch.from_numpy(matrix)
    return measure_codec(weight, method.codec(bits), Context()).distortion.mse


def _by_numpy(method: Method, matrix: plain_numpy.Weights, bits: int) -> float:
    return plain_numpy.mean_squared_error(matrix, method.plain(matrix, bits))


def _total(points: Points) -> float:
    return sum(point.seconds for point in points.values())


def _measurements(what: str, by: str, points: Points) -> list[Measurement]:
    measured = [Measurement(f"{what}, all points, time", by, _total(points), "s")]
    for (name, bits), point in points.items():
        measured += [
            Measurement(f"{what}, {name}, {bits} bits, time", by, point.seconds, "s"),
            Measurement(f"{what}, {name}, {bits} bits, MSE", by, point.mse, "1"),
        ]
    return measured


if __name__ == "__main__":
    print_record(run())
