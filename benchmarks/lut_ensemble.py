"""How fast ensembles of chained products by look-up are, beside a plain Python loop.

Both run the same algorithm on the same random numbers and end with the same values to the last bit.
"""

from itertools import product
from operator import itemgetter

import numba
import numpy as np
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

from qatlas.lut.look_up.definition import LookUp, look_up_in, method_of
from qatlas.lut.look_up.definition import product as by_look_up
from qatlas.lut.product_table import encoded_table
from qatlas.lut.simulation.draws import Draws, draw
from qatlas.lut.simulation.kernels import Floats, chained_products
from qatlas.lut.simulation.references import Chains, chains

LIMIT = 2.0
ENCODINGS = ("signed_ext", "signed_log")
METHODS = ("nearest", "stochastic")
_ROUNDS = 5


def run(
    seeds: int = 1000,
    steps: int = 1024,
    plain_steps: int = 256,
    sizes: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512),
) -> Record:
    """Simulate chains of 32 variants: two encodings, two methods, eight sizes.

    Seconds do not include compilation; they are the least of several rounds.

    Parameters
    ----------
    seeds, steps
        Trajectories, and multiplications of each.
    plain_steps
        Multiplications of the first trajectory, for the plain loop, which takes long.
    sizes
        Levels of the tables.
    """
    threads = min(2, numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(threads)
    before = machine(threads)
    draws = draw(0, seeds, steps)
    chain = chains(draws, LIMIT, "float16")
    variants = [
        (look_up_in(encoded_table(encoding, size, LIMIT)), method_of(method))
        for encoding, size, method in product(ENCODINGS, sizes, METHODS)
    ]
    last = np.array([plain_steps, steps])
    chained_products(*variants[0], chain.starts, chain.factors, draws.roundings, last)

    def compiled() -> list[Floats]:
        return [
            chained_products(*variant, chain.starts, chain.factors, draws.roundings, last)[0]
            for variant in variants
        ]

    def interpreted() -> list[float]:
        return [_plain(*variant, chain, draws, plain_steps) for variant in variants]

    # In turns, so that a busy moment does not meet one of them alone.
    rounds = [(timed(compiled), timed(interpreted)) for _ in range(_ROUNDS)]
    ours, found = min((first for first, _ in rounds), key=itemgetter(0))
    theirs, plain = min((second for _, second in rounds), key=itemgetter(0))
    per_step = ours / (len(variants) * seeds * steps)
    per_plain_step = theirs / (len(variants) * plain_steps)
    report_progress(
        f"{ours:.2f} s; a step {per_step * 1e9:.1f} ns, in Python {per_plain_step:.1e} s"
    )
    differing = sum(
        float(values[0, 0]) != value for values, value in zip(found, plain, strict=True)
    )
    return Record(
        name="lut_ensemble",
        compares="chained products by look-up, with a plain Python loop over the same steps",
        machine=before,
        measurements=(
            Measurement(f"{len(variants)} variants, {seeds} x {steps}", "qatlas", ours, "s"),
            Measurement("a step", "qatlas", per_step * 1e9, "ns"),
            Measurement("a step", "plain Python", per_plain_step * 1e9, "ns"),
        ),
        targets=(
            at_most(f"{len(variants)} variants of {seeds} x {steps} steps, seconds", ours, 10),
            at_least("times as fast as plain Python, a step", per_plain_step / per_step, 500),
            at_most("variants whose values differ", differing, 0),
        ),
    )


def _plain(table: LookUp, method: int, chain: Chains, draws: Draws, steps: int) -> float:
    value = float(chain.starts[0])
    factors, roundings = chain.factors[0].tolist(), draws.roundings[0].tolist()
    for factor, (first, second) in zip(factors[:steps], roundings[:steps], strict=True):
        value = by_look_up(table, method, value, factor, first, second)
    return value


if __name__ == "__main__":
    print_record(run())
