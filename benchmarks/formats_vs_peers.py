"""Block formats encoded and decoded here and by the packages they come from, on the same matrix.

Each is called as it would be alone: here the codec, there the package's own function, so that
nothing of this project is charged to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import bitsandbytes.functional
import gguf
import numpy as np
import torch
from record import (
    Measurement,
    Record,
    Target,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs.base import Context
from qatlas.codecs.families.formats import Formats
from qatlas.codecs.measure import distortion_of


@dataclass(frozen=True)
class Quantizer:
    """A format as a package has it: from a matrix to what is stored, and back."""

    package: str
    encode: Callable[[torch.Tensor], Any]
    decode: Callable[[Any], torch.Tensor]


@dataclass(frozen=True)
class Run:
    """Seconds of either direction, and the MSE."""

    encode: float
    decode: float
    mse: float


def _qatlas(data_type: Any) -> Quantizer:
    codec = Formats(data_type)
    return Quantizer("qatlas", lambda weight: codec.encode(weight, Context()), codec.decode)


def _bitsandbytes(data_type: str) -> Quantizer:
    return Quantizer(
        "bitsandbytes",
        lambda weight: bitsandbytes.functional.quantize_4bit(
            weight, blocksize=64, quant_type=data_type
        ),
        lambda encoded: bitsandbytes.functional.dequantize_4bit(*encoded),
    )


def _gguf(data_type: str) -> Quantizer:
    kind = gguf.GGMLQuantizationType[data_type]
    return Quantizer(
        "gguf",
        lambda weight: gguf.quantize(weight.numpy(), kind),
        lambda encoded: torch.from_numpy(gguf.dequantize(encoded, kind)),
    )


PEERS = {
    "nf4": _bitsandbytes("nf4"),
    "fp4_bitsandbytes": _bitsandbytes("fp4"),
    "q8_0": _gguf("Q8_0"),
    "q4_0": _gguf("Q4_0"),
}
"""By the data type that is the same format here."""


def run(
    rows: int = 2048, columns: int = 4096, threads: tuple[int, ...] = (1, 2), repeats: int = 7
) -> Record:
    """Encode and decode a float32 matrix of Student-t weights, 5 degrees of freedom, with both.

    Parameters
    ----------
    rows, columns
        Sides of the matrix.
    threads
        Numbers of threads that PyTorch is given, one after another; the codecs here use one.
    repeats
        Measurements of each, of which the median counts.
    """
    before = machine(max(threads))
    drawn = np.random.default_rng(0).standard_t(5, (rows, columns))
    weight = torch.from_numpy(drawn.astype(np.float32))
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for count in threads:
        torch.set_num_threads(count)
        for data_type, peer in PEERS.items():
            both = _qatlas(data_type), peer
            ours, theirs = _in_turn(both, weight, repeats)
            what = f"{data_type}, {count} thread{'s' if count > 1 else ''}"
            report_progress(f"{what}: {ours}, {peer.package} {theirs}")
            for quantizer, its in zip(both, (ours, theirs), strict=True):
                measurements += [
                    Measurement(f"{what}, encode", quantizer.package, its.encode, "s"),
                    Measurement(f"{what}, decode", quantizer.package, its.decode, "s"),
                ]
            times = theirs.decode / ours.decode
            measurements.append(Measurement(f"{what}, decode, times as fast", "qatlas", times, "1"))
            encoding = f"{what}, encode: times as fast as {peer.package}"
            difference = f"{what}: MSE, relative difference from {peer.package}"
            targets += [
                at_least(encoding, theirs.encode / ours.encode, 1),
                at_most(difference, abs(ours.mse / theirs.mse - 1), 0),
            ]
    return Record(
        name="formats_vs_peers",
        compares=(
            f"block formats of a {rows} x {columns} float32 Student-t(5) matrix, with bitsandbytes "
            "and gguf"
        ),
        machine=before,
        measurements=tuple(measurements),
        targets=tuple(targets),
    )


def _in_turn(
    quantizers: tuple[Quantizer, ...], weight: torch.Tensor, repeats: int
) -> tuple[Run, ...]:
    """Median of each; one after the other, so that a change of the machine's load meets all."""
    # The first run, in which kernels are compiled, does not count.
    runs = [[_run(quantizer, weight) for quantizer in quantizers] for _ in range(1 + repeats)][1:]
    return tuple(
        Run(median(run.encode for run in its), median(run.decode for run in its), its[0].mse)
        for its in zip(*runs, strict=True)
    )


def _run(quantizer: Quantizer, weight: torch.Tensor) -> Run:
    encoding, encoded = timed(lambda: quantizer.encode(weight))
    decoding, decoded = timed(lambda: quantizer.decode(encoded))
    return Run(encoding, decoding, distortion_of(weight, decoded).mse)


if __name__ == "__main__":
    print_record(run())
