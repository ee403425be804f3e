"""Which cell of a histogram each symbol lies in, and where in the cell, bit-packed."""

from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError
from qatlas.codecs.entropy_coding.dyadic_histogram import DyadicHistogram

Integers: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]


def cell_of(symbols: Integers, starts: Integers) -> NDArray[np.int32]:
    """Index of the last start that is no larger than each symbol; int32, shape (symbols,)."""
    steps = int(starts.size - 1).bit_length()
    padded = np.full((1 << steps) - 1, np.iinfo(np.int64).max)
    padded[: starts.size - 1] = starts[1:]
    index = np.empty(symbols.size, np.int32)
    _search(symbols, padded, steps, index)
    return index


def packed_size(index: NDArray[np.int32], cells: DyadicHistogram) -> int:
    """Bytes of the places of symbols within their cells."""
    return -(-int(np.bincount(index, minlength=cells.widths.size) @ cells.widths) // 8)


def pack_places(symbols: Integers, index: NDArray[np.int32], cells: DyadicHistogram) -> Bytes:
    """Places of the symbols within their cells, as many bits as the cell's width; uint8."""
    packed = np.zeros(packed_size(index, cells), np.uint8)
    _write(symbols, index, cells.starts, cells.widths, packed)
    return packed


def unpack_places(packed: Bytes, index: NDArray[np.int32], cells: DyadicHistogram) -> Integers:
    """Undo ``pack_places``, given the cells that the symbols lie in; int64.

    Raises
    ------
    CodecError
        If the bytes are not as many as the cells' widths say.
    """
    if packed.size != packed_size(index, cells):
        raise CodecError("stored symbols are incomplete: the file is damaged or of another codec")
    symbols = np.empty(index.size, np.int64)
    _read(packed, index, cells.starts, cells.widths, symbols)
    return symbols


@numba.njit(cache=True)
def _search(symbols: Integers, edges: Integers, steps: int, index: NDArray[np.int32]) -> None:
    """Binary search without branches; ``edges`` holds 2^steps - 1 symbols."""
    for i in range(symbols.size):
        cell = 0
        for step in range(steps - 1, -1, -1):
            half = 1 << step
            cell += half * (symbols[i] >= edges[cell + half - 1])
        index[i] = cell


@numba.njit(cache=True)
def _write(symbols: Any, index: Any, starts: Any, widths: Any, packed: Any) -> None:
    position = 0
    for i in range(symbols.size):
        place, left = symbols[i] - starts[index[i]], widths[index[i]]
        while left > 0:
            shift = position & 7
            taken = min(8 - shift, left)
            packed[position >> 3] |= np.uint8((place & ((1 << taken) - 1)) << shift)
            place >>= taken
            left -= taken
            position += taken


@numba.njit(cache=True)
def _read(packed: Any, index: Any, starts: Any, widths: Any, symbols: Any) -> None:
    position = 0
    for i in range(symbols.size):
        place, have, width = 0, 0, widths[index[i]]
        while have < width:
            shift = position & 7
            taken = min(8 - shift, width - have)
            place |= ((packed[position >> 3] >> shift) & ((1 << taken) - 1)) << have
            have += taken
            position += taken
        symbols[i] = starts[index[i]] + place
