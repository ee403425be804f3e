"""Entropy coding of integers: asymmetric numeral systems under a stored dyadic histogram.

Source: Duda 2013 (arXiv 1311.2540); the coder is that of the library constriction, Bamler 2022
(arXiv 2201.01741).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.entropy_coding.bit_strings import BitReader, gamma, to_bytes
from qatlas.codecs.entropy_coding.cell_places import (
    cell_of,
    pack_places,
    packed_size,
    unpack_places,
)
from qatlas.codecs.entropy_coding.dyadic_histogram import DyadicHistogram, fit

Integers: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]

_STATE_BITS = 24
"""The coder's first state is 2 to the precision of its probabilities: in a smaller one it would
hide, uncharged, a run of the first cell."""


def encode_symbols(symbols: NDArray[np.integer[Any]]) -> dict[str, Bytes]:
    """Code integers, independently of each other, near their empirical entropy.

    Parameters
    ----------
    symbols
        Any integer dtype and shape, smaller than 2^61 in magnitude.

    Returns
    -------
    dict
        "payload", "payload.offsets" (places within cells wider than one symbol) and "table" (the
        histogram that the decoder needs), uint8, one-dimensional, empty where nothing is needed.

    Raises
    ------
    ValueError
        If a symbol is not.
    """
    return _encode((symbols,), ())


def decode_symbols(arrays: Mapping[str, NDArray[Any]], count: int) -> Integers:
    """Undo ``encode_symbols`` of ``count`` symbols: int64, shape (count,).

    Raises
    ------
    CodecError
        If the table is incomplete.
    """
    return _decode(arrays, BitReader(arrays["table"]), (count,))[0]


def encode_given(
    symbols: NDArray[np.integer[Any]], contexts: NDArray[np.integer[Any]]
) -> dict[str, Bytes]:
    """Code integers, each with the histogram of its context, which is not stored.

    Parameters
    ----------
    symbols
        As ``encode_symbols`` takes them.
    contexts
        Nonnegative integers, as many as symbols.

    Returns
    -------
    dict
        Arrays as those of ``encode_symbols``.

    Raises
    ------
    ValueError
        If a symbol is not smaller than 2^61 in magnitude.
    """
    flat = contexts.reshape(-1)
    ends = np.cumsum(np.bincount(flat))
    return _encode(np.split(symbols.reshape(-1)[_by_context(flat)], ends[:-1]), ())


def decode_given(
    arrays: Mapping[str, NDArray[Any]], contexts: NDArray[np.integer[Any]]
) -> Integers:
    """Undo ``encode_given`` with the same contexts: int64, shape (contexts.size,).

    Raises
    ------
    CodecError
        If the table is incomplete.
    """
    flat = contexts.reshape(-1)
    streams = _decode(arrays, BitReader(arrays["table"]), np.bincount(flat).tolist())
    symbols = np.empty(flat.size, np.int64)
    symbols[_by_context(flat)] = np.concatenate([np.empty(0, np.int64), *streams])
    return symbols


def encode_streams(streams: Sequence[NDArray[np.integer[Any]]]) -> dict[str, Bytes]:
    """Code several sequences of integers, each with a histogram of its own.

    For symbols whose context the decoder knows only from the symbols before: one sequence a
    context, of which it takes the next symbol. The lengths are stored in the table.

    Parameters
    ----------
    streams
        Sequences as ``encode_symbols`` takes them.

    Returns
    -------
    dict
        Arrays as those of ``encode_symbols``.

    Raises
    ------
    ValueError
        If a symbol is not.
    """
    return _encode(streams, [gamma(stream.size) for stream in streams])


def decode_streams(arrays: Mapping[str, NDArray[Any]], streams: int) -> tuple[Integers, ...]:
    """Undo ``encode_streams`` of so many sequences: int64, each of its own length.

    Raises
    ------
    CodecError
        If the table is incomplete.
    """
    table = BitReader(arrays["table"])
    return _decode(arrays, table, [table.gamma() for _ in range(streams)])


def coded_bits(symbols: Integers, counts: Integers) -> float:
    """Bits that ``encode_symbols`` makes of symbols with this histogram, within 0.01 % and 4 bytes.

    Parameters
    ----------
    symbols
        Int64, shape (n,), strictly increasing, smaller than 2^61 in magnitude.
    counts
        Int64, shape (n,), how often each occurs; positive.
    """
    if not symbols.size:
        return 0.0
    histogram = fit(symbols, counts)
    cells = histogram.occupied()
    masses = cells.roots.astype(np.float64) ** 2
    bits = cells.widths + np.log2(masses.sum()) - np.log2(masses)
    edges = np.searchsorted(symbols, cells.starts)
    coded = float(np.add.reduceat(counts, edges) @ bits)
    table = sum(map(len, histogram.field_strings()))
    return coded + table + _STATE_BITS * (cells.roots.size > 1)


def _by_context(contexts: NDArray[np.integer[Any]]) -> Integers:
    """Positions of the symbols of the first context, of the next, and so on."""
    return np.argsort(contexts, kind="stable")


def _encode(streams: Sequence[NDArray[np.integer[Any]]], header: Sequence[str]) -> dict[str, Bytes]:
    fields, found, cells, places = list(header), [], [], [np.empty(0, np.uint8)]
    for stream in streams:
        if not stream.size:
            continue
        symbols = stream.astype(np.int64, copy=False).reshape(-1)
        histogram = fit(*np.unique(symbols, return_counts=True))
        fields += histogram.field_strings()
        cells.append(histogram.occupied())
        found.append(cell_of(symbols, cells[-1].starts))
        places.append(pack_places(symbols, found[-1], cells[-1]))
    return {
        "payload": _ans_encode(found, cells),
        "payload.offsets": np.concatenate(places),
        "table": to_bytes(fields),
    }


def _decode(
    arrays: Mapping[str, NDArray[Any]], table: BitReader, counts: Sequence[int]
) -> tuple[Integers, ...]:
    cells = [DyadicHistogram.read(table) if count else None for count in counts]
    coder = _coder_of(arrays["payload"])
    packed = np.ascontiguousarray(arrays["payload.offsets"])
    streams = []
    for count, histogram in zip(counts, cells, strict=True):
        if histogram is None:
            streams.append(np.empty(0, np.int64))
            continue
        occupied = histogram.occupied()
        found = np.zeros(count, np.int32)
        if occupied.roots.size > 1:
            found = coder.decode(_model(occupied), count)
        size = packed_size(found, occupied)
        streams.append(unpack_places(packed[:size], found, occupied))
        packed = packed[size:]
    return tuple(streams)


def _ans_encode(streams: Sequence[NDArray[np.int32]], cells: Sequence[DyadicHistogram]) -> Bytes:
    """Bytes of the coder's state; none where every stream has one cell only."""
    coder = _coder(np.array([1 << _STATE_BITS], np.uint32))
    for index, histogram in reversed(list(zip(streams, cells, strict=True))):
        if histogram.roots.size > 1:
            coder.encode_reverse(index, _model(histogram))
    words: Bytes = coder.get_compressed().astype("<u4").view(np.uint8)
    if all(histogram.roots.size == 1 for histogram in cells):
        return words[:0]
    return words[: words.size - int(np.argmax(words[::-1] != 0))]


def _coder_of(payload: Bytes) -> Any:
    words = np.concatenate([payload, np.zeros(-payload.size % 4, np.uint8)]).view("<u4")
    return _coder(words.astype(np.uint32))


def _coder(words: NDArray[np.uint32]) -> Any:
    import constriction

    return constriction.stream.stack.AnsCoder(words)


def _model(histogram: DyadicHistogram) -> Any:
    import constriction

    probabilities = histogram.roots.astype(np.float64) ** 2
    return constriction.stream.model.Categorical(probabilities, perfect=False)
