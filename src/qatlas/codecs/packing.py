"""Codes of 1 to 8 bits, packed without gaps: b-bit codes take b bits.

Eight codes become ``width`` bytes: code i of the eight occupies the bits from ``i * width`` on
of one little-endian integer. The last group is padded with zeros and cut to whole bytes.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

WHOLE = 8
"""So many codes fill whole bytes, whatever their width."""


def pack(codes: Bytes, width: int) -> Bytes:
    """Pack uint8 codes, each below 2^width, into ceil(n * width / 8) bytes.

    Parameters
    ----------
    codes
        One-dimensional uint8, length n.
    width
        Bits a code takes, 1 to 8.

    Raises
    ------
    ValueError
        If the width is out of range or a code needs more bits.
    """
    return pack_parts((codes,), width, (codes.size,))


def pack_parts(parts: Iterable[Bytes], width: int, counts: Sequence[int]) -> Bytes:
    """Pack codes that are made part by part, as ``pack`` does all of them.

    Parameters
    ----------
    parts
        One-dimensional uint8, each code below 2^width.
    counts
        Codes of each part, multiples of ``WHOLE`` but for the last.

    Raises
    ------
    ValueError
        If the width or a count is out of range, or a code needs more bits.
    """
    places = _places(counts, width)
    packed = np.empty(_packed_size(sum(counts), width), np.uint8)
    for codes, count, place in zip(parts, counts, places, strict=True):
        if codes.size != count:
            raise ValueError(f"a part has {codes.size} codes where {count} were announced")
        if codes.size and int(codes.max()) >> width:
            raise ValueError(f"a code of {int(codes.max())} does not fit {width} bits")
        _pack(np.ascontiguousarray(codes), width, packed[place])
    return packed


def unpack(packed: Bytes, width: int, count: int) -> Bytes:
    """Undo ``pack``: the first ``count`` codes, as uint8.

    Raises
    ------
    ValueError
        If the width is out of range or the bytes are not exactly those of ``count`` codes.
    """
    _require_width(width)
    if packed.size != _packed_size(count, width):
        raise ValueError(
            f"{count} codes of {width} bits take {_packed_size(count, width)} bytes; "
            f"found {packed.size}"
        )
    codes = np.empty(count, np.uint8)
    _unpack(np.ascontiguousarray(packed), width, codes)
    return codes


def _places(counts: Sequence[int], width: int) -> list[slice]:
    """The bytes of each part."""
    _require_width(width)
    if any(count % WHOLE for count in counts[:-1]):
        raise ValueError(f"all parts but the last have a multiple of {WHOLE} codes; found {counts}")
    edges = accumulate((_packed_size(count, width) for count in counts), initial=0)
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _require_width(width: int) -> None:
    if not 1 <= width <= 8:
        raise ValueError(f"a code takes 1 to 8 bits; found {width}")


def _packed_size(count: int, width: int) -> int:
    return -(-count * width // 8)


@numba.njit(cache=True)
def _pack(codes: Bytes, width: int, packed: Bytes) -> None:
    whole = codes.size // 8
    for group in range(whole):
        bits = np.uint64(0)
        for i in range(8):
            bits |= np.uint64(codes[8 * group + i]) << np.uint64(i * width)
        for byte in range(width):
            packed[group * width + byte] = (bits >> np.uint64(8 * byte)) & np.uint64(255)
    bits = np.uint64(0)
    for i in range(codes.size - 8 * whole):
        bits |= np.uint64(codes[8 * whole + i]) << np.uint64(i * width)
    for byte in range(packed.size - whole * width):
        packed[whole * width + byte] = (bits >> np.uint64(8 * byte)) & np.uint64(255)


@numba.njit(cache=True)
def _unpack(packed: Bytes, width: int, codes: Bytes) -> None:
    mask = np.uint64((1 << width) - 1)
    whole = codes.size // 8
    for group in range(whole):
        bits = np.uint64(0)
        for byte in range(width):
            bits |= np.uint64(packed[group * width + byte]) << np.uint64(8 * byte)
        for i in range(8):
            codes[8 * group + i] = (bits >> np.uint64(i * width)) & mask
    bits = np.uint64(0)
    for byte in range(packed.size - whole * width):
        bits |= np.uint64(packed[whole * width + byte]) << np.uint64(8 * byte)
    for i in range(codes.size - 8 * whole):
        codes[8 * whole + i] = (bits >> np.uint64(i * width)) & mask
