"""How fast weights find their path through a bit-shift trellis, compiled and in plain NumPy.

The plain search is vectorised over the states, as a notebook has it; both find paths of the same
error. Weights a second of the whole codec count its search for the scale as well.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
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

from qatlas.codecs import Context, create
from qatlas.codecs.trellises.bit_shift import BitShiftTrellis
from qatlas.codecs.trellises.plain_viterbi import tail_biting_states
from qatlas.codecs.trellises.state_codes import state_values
from qatlas.codecs.trellises.tail_biting import tail_biting_symbols

LENGTH = 256
Sequences = NDArray[np.float32]


def run(
    sequences: int = 1024,
    plain_sequences: int = 4,
    state_bits: tuple[int, ...] = (8, 12),
    bits: tuple[int, ...] = (1, 2, 3, 4),
) -> Record:
    """Quantize the same N(0, 1) weights, 256 a sequence, with both; one thread each.

    Seconds do not include compilation.

    Parameters
    ----------
    sequences
        For the compiled search and the codec.
    plain_sequences
        The first so many, for the plain search, which takes long.
    state_bits, bits
        Trellises, every one with every k.
    """
    before = machine(threads=1)
    torch.set_num_threads(1)
    values = np.random.default_rng(0).standard_normal((sequences, LENGTH)).astype(np.float32)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for length, k in product(state_bits, bits):
        trellis = BitShiftTrellis(state_values("latin_square", length, k), k)
        what = f"L = {length}, k = {k}"
        _compiled_words(values[:1], trellis)
        speed, words = _megaweights_per_second(_compiled_words, values, trellis)
        theirs, their_words = _megaweights_per_second(
            _plain_words, values[:plain_sequences], trellis
        )
        seconds, _ = timed(partial(_encode, values, length, k))
        codec = values.size / seconds / 1e6
        report_progress(f"{what}: {speed:.3f} Mweight/s, codec {codec:.3f}, NumPy {theirs:.4f}")
        few = values[:plain_sequences]
        excess = _mse(words[:plain_sequences], few) / _mse(their_words, few) - 1
        measurements += [
            Measurement(f"{what}, paths", "qatlas", speed, "Mweight/s"),
            Measurement(f"{what}, paths", "plain NumPy", theirs, "Mweight/s"),
            Measurement(f"{what}, codec", "qatlas", codec, "Mweight/s"),
        ]
        targets += [
            at_most(f"{what}: MSE above that of plain NumPy, relative", excess, 1e-4),
            at_least(f"{what}: times as fast as plain NumPy", speed / theirs, 20),
        ]
        if (length, k) == (12, 2):
            targets.append(at_least(f"{what}: codec, Mweight/s on one core", codec, 0.3))
    return Record(
        name="trellis_speed",
        compares="tail-biting paths through a bit-shift trellis, with a plain NumPy Viterbi search",
        machine=before,
        measurements=tuple(measurements),
        targets=tuple(targets),
    )


def _megaweights_per_second(
    search: Callable[[Sequences, BitShiftTrellis], Sequences],
    values: Sequences,
    trellis: BitShiftTrellis,
) -> tuple[float, Sequences]:
    seconds, words = timed(lambda: search(values, trellis))
    return values.size / seconds / 1e6, words


def _compiled_words(values: Sequences, trellis: BitShiftTrellis) -> Sequences:
    rings = np.stack([tail_biting_symbols(sequence, trellis) for sequence in values])
    return trellis.values[trellis.states(rings)]


def _plain_words(values: Sequences, trellis: BitShiftTrellis) -> Sequences:
    paths = [tail_biting_states(sequence.astype(np.float64), trellis) for sequence in values]
    return trellis.values[np.stack(paths)]


def _encode(values: Sequences, state_bits: int, bits: int) -> None:
    codec = create("trellis", bits=bits, state_bits=state_bits)
    codec.encode(torch.from_numpy(values), Context())


def _mse(words: Sequences, values: Sequences) -> float:
    return float(np.mean((words - values) ** 2, dtype=np.float64))


if __name__ == "__main__":
    print_record(run())
