"""Codes of 1 to 8 bits, packed without gaps: b-bit codes take b bits.

Eight codes become ``width`` bytes: code i of the eight occupies the bits from ``i * width`` on
of one little-endian integer. The last group is padded with zeros and cut to whole bytes.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


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
    _require_width(width)
    if codes.size and int(codes.max()) >> width:
        raise ValueError(f"a code of {int(codes.max())} does not fit {width} bits")
    packed = np.empty(_packed_size(codes.size, width), np.uint8)
    _pack(np.ascontiguousarray(codes), width, packed)
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
