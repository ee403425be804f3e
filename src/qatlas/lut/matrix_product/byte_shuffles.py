"""Exact sums of looked-up bytes, with a row of the table held in four vector registers.

AVX-512 VBMI looks up 64 bytes in a table of 128 with one instruction (vpermi2b), so that two and a
choice by the top bit of the code look up 64 codes in a row of 256 bytes. Sums are kept in 16 bits,
which 257 bytes cannot overflow, and then added to those in 32. Where the processor has no such
instruction ``AVAILABLE`` is false and nothing here may be called.
"""

from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numpy.typing import NDArray

AVAILABLE = (
    numba.config.CPU_NAME is None  # type: ignore[attr-defined]
    and numba.config.CPU_FEATURES is None  # type: ignore[attr-defined]
    and bool(llvmlite.binding.get_host_cpu_features().get("avx512vbmi"))
)
"""Whether this processor has the instruction, and numba compiles for this processor."""
LANES = 64
"""Codes that are looked up at a time: rows of codes are padded to a multiple."""
LEVELS = 256
"""Bytes of a row of the table."""

_BYTES_OF_16_BITS = 257
"""How many bytes, of at most 255, a 16-bit sum has room for."""
_LANE = 16
_LOW_BYTES = np.add.outer(np.arange(0, LANES, _LANE), np.arange(_LANE // 2)).ravel()
_ORDER = np.concatenate([_LOW_BYTES, _LOW_BYTES + _LANE // 2])
"""Widening a vector to two of 16-bit numbers takes the lower, then the upper eight bytes of each
128-bit lane (vpunpcklbw, vpunpckhbw); this is which byte each sum is of."""

_BYTE, _SHORT, _INDEX = ir.IntType(8), ir.IntType(16), ir.IntType(64)
_BYTES = ir.VectorType(_BYTE, LANES)
_SHORTS = ir.VectorType(_SHORT, LANES // 2)


def places(columns: int) -> NDArray[np.int64]:
    """Which column the sums of so many padded columns are of, in the order they lie."""
    first = np.arange(0, columns, LANES)
    found: NDArray[np.int64] = np.add.outer(first, _ORDER).ravel()
    return found


@numba.njit(cache=True, nogil=True)
def add_bytes(a: Any, b: Any, table: Any, column: Any, sums: Any) -> None:
    """Add looked-up bytes over k, exactly where sums have room.

    Parameters
    ----------
    a
        Codes, uint8, shape (M, K).
    b
        Codes, uint8, C-contiguous, shape (K, N) with N a multiple of ``LANES``.
    table
        Uint8, C-contiguous, shape (levels of a, ``LEVELS``).
    column
        ``places(N)``.
    sums
        Int64, shape (M, N).
    """
    rows, terms = a.shape
    columns = b.shape[1]
    short = np.empty(columns, np.uint16)
    total = np.empty(columns, np.int64)
    for m in range(rows):
        total[:] = 0
        for first in range(0, terms, _BYTES_OF_16_BITS):
            short[:] = 0
            for k in range(first, min(first + _BYTES_OF_16_BITS, terms)):
                _add_row(table[a[m, k]], b[k], short)  # type: ignore[call-arg]
            for n in range(columns):
                total[n] += short[n]
        for n in range(columns):
            sums[m, column[n]] += total[n]


@intrinsic
def _add_row(typing: Any, row: Any, codes: Any, sums: Any) -> Any:
    """Add row[codes] to sums, whose order is ``_ORDER``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        row_data, codes_data, sums_data = (array.data for array in arrays)
        look_up = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(_BYTES, [_BYTES] * 3),
            "llvm.x86.avx512.vpermi2var.qi.512",
        )
        quarters = [_load(builder, row_data, _index(64 * quarter), _BYTES) for quarter in range(4)]
        zeros = ir.Constant(_BYTES, None)
        count = cgutils.unpack_tuple(builder, arrays[1].shape, 1)[0]
        blocks = builder.udiv(count, _index(LANES))
        with cgutils.for_range(builder, blocks, intp=_INDEX) as loop:
            start = builder.mul(loop.index, _index(LANES))
            block = _load(builder, codes_data, start, _BYTES)
            below = builder.call(look_up, [quarters[0], block, quarters[1]])
            above = builder.call(look_up, [quarters[2], block, quarters[3]])
            # As a signed byte, a code of 128 and more is negative.
            found = builder.select(builder.icmp_signed("<", block, zeros), above, below)
            for half in range(2):
                wide = builder.bitcast(_widened_half(builder, found, zeros, half), _SHORTS)
                place = builder.add(start, _index(half * LANES // 2))
                total = builder.add(_load(builder, sums_data, place, _SHORTS), wide)
                _store(builder, total, sums_data, place)
        return context.get_dummy_value()

    return types.void(row, codes, sums), generate


def _widened_half(builder: Any, found: Any, zeros: Any, half: int) -> Any:
    """Bytes of one half in the order of ``_ORDER``, each with a zero byte after it."""
    chosen = _ORDER[half * LANES // 2 : (half + 1) * LANES // 2]
    mask = np.column_stack([chosen, chosen + LANES]).ravel().tolist()
    pattern = ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask)
    return builder.shuffle_vector(found, zeros, pattern)


def _index(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _load(builder: Any, data: Any, place: Any, kind: Any) -> Any:
    loaded = builder.load(_pointer(builder, data, place, kind))
    loaded.align = 1
    return loaded


def _store(builder: Any, value: Any, data: Any, place: Any) -> None:
    builder.store(value, _pointer(builder, data, place, value.type)).align = 1


def _pointer(builder: Any, data: Any, place: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())
