"""How fast a matrix product goes by table, next to float32 and int8 matrix products.

The same codes, 64 x 2048 times 2048 x 2048, with a table of 256 x 256 products. The plain kernel
looks up one product after the other; byte shuffles look up 64, where the processor has them. The
GEMMs are PyTorch's: float32, and int8 to int32.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch
from record import Measurement, Record, at_least, machine, print_record, report_progress

from qatlas.lut.matrix_product.accumulators import FLOAT32, INT16, INT32, Accumulator
from qatlas.lut.matrix_product.integers import whole_numbers
from qatlas.lut.matrix_product.kernels import add_products
from qatlas.lut.matrix_product.product import lut_matmul
from qatlas.lut.product_table import encoded_table

THREADS = 1
OURS, PLAIN = "lut_matmul, signed_ext, int32", "plain kernel, int32"
GEMMS = ("float32 GEMM", "int8 GEMM")
Call = Callable[[], object]


def run(rows: int = 64, terms: int = 2048, columns: int = 2048, repeats: int = 9) -> Record:
    """Multiply random codes in every way, one thread each; compilation is not counted.

    Parameters
    ----------
    rows, terms, columns
        M, K and N.
    repeats
        Of which the median counts, by wall and by processor time. All ways take turns, so that a
        change of the machine's load meets all.
    """
    before = machine(THREADS)
    torch.set_num_threads(THREADS)
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (rows, terms), dtype=np.uint8)
    b = random.integers(0, 256, (terms, columns), dtype=np.uint8)
    tables = {name: _products(name) for name in ("signed_ext", "signed_log")}
    ways: dict[str, Call] = {
        f"lut_matmul, {name}, {accumulator.name}": _by_table(a, b, table, accumulator)
        for name, table in tables.items()
        for accumulator in (INT32, INT16, FLOAT32)
        if (name, accumulator) != ("signed_log", INT16)
    }
    ways |= {
        PLAIN: _plainly(a, b, tables["signed_ext"]),
        **dict(zip(GEMMS, (_float_gemm(a, b), _int8_gemm(a, b)), strict=True)),
    }
    speeds = _gigamacs_per_second(ways, rows * terms * columns, repeats)
    for way, (wall, processor) in speeds.items():
        report_progress(f"{way}: {wall:.2f} GMAC/s of wall, {processor:.2f} of processor time")
    ours = speeds[OURS][0]
    same = float(np.mean(ways[OURS]() == ways[PLAIN]()))
    return Record(
        name="lut_matmul",
        compares=f"{rows} x {terms} times {terms} x {columns} by table, with GEMMs of PyTorch",
        machine=before,
        measurements=(
            *(
                Measurement(f"matrix product, {clock} time", way, speed, "GMAC/s")
                for way, both in speeds.items()
                for clock, speed in zip(("wall", "processor"), both, strict=True)
            ),
            *(
                Measurement("times as fast as lut_matmul", gemm, speeds[gemm][0] / ours, "1")
                for gemm in GEMMS
            ),
        ),
        targets=(
            at_least(f"GMAC/s on one core, {OURS}", ours, 1),
            at_least("share of sums that are those of the plain kernel", same, 1),
        ),
    )


def _products(encoding: str) -> np.ndarray:
    table = encoded_table(encoding, 256, 1.0)
    return whole_numbers(table.values, 1 << 19, 1 << 19).multiples[table.codes]


def _by_table(a: np.ndarray, b: np.ndarray, table: np.ndarray, accumulator: Accumulator) -> Call:
    return lambda: lut_matmul(a, b, table, accumulator)


def _plainly(a: np.ndarray, b: np.ndarray, table: np.ndarray) -> Call:
    narrow = table.astype(np.int32)

    def multiply() -> np.ndarray:
        sums = np.zeros((a.shape[0], b.shape[1]), np.int32)
        add_products(a, b, narrow, sums)
        return sums

    return multiply


def _float_gemm(a: np.ndarray, b: np.ndarray) -> Call:
    of_a, of_b = (torch.from_numpy(codes.astype(np.float32)) for codes in (a, b))
    return lambda: of_a @ of_b


def _int8_gemm(a: np.ndarray, b: np.ndarray) -> Call:
    of_a, of_b = (torch.from_numpy(codes.view(np.int8)) for codes in (a, b))
    return lambda: torch._int_mm(of_a, of_b)


def _gigamacs_per_second(
    ways: dict[str, Call], products: int, repeats: int
) -> dict[str, tuple[float, float]]:
    """By wall and by processor time."""
    for multiply in ways.values():
        multiply()
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, multiply in ways.items():
            start, start_of_processor = perf_counter(), process_time()
            multiply()
            times[way].append((perf_counter() - start, process_time() - start_of_processor))
    return {
        way: tuple(products / median(seconds) / 1e9 for seconds in zip(*found, strict=True))
        for way, found in times.items()
    }


if __name__ == "__main__":
    print_record(run())
