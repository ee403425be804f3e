"""Indices of 1 to 16 bits, packed without gaps: their low bytes, then what is above these."""

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.packing import pack, unpack

Indices = NDArray[np.uint16]


def pack_indices(indices: Indices, width: int) -> NDArray[np.uint8]:
    """Pack uint16 indices, each below 2^width, into ceil(n * width / 8) bytes.

    Parameters
    ----------
    indices
        One-dimensional uint16, length n.
    width
        Bits an index takes, 1 to 16.

    Raises
    ------
    ValueError
        If the width is out of range or an index needs more bits.
    """
    if indices.size and int(indices.max()) >> width:
        raise ValueError(f"an index of {int(indices.max())} does not fit {width} bits")
    if width <= 8:
        return pack(indices.astype(np.uint8), width)
    low = (indices & 0xFF).astype(np.uint8)
    return np.concatenate((low, pack((indices >> 8).astype(np.uint8), width - 8)))


def unpack_indices(packed: NDArray[np.uint8], width: int, count: int) -> Indices:
    """Undo ``pack_indices``: ``count`` indices, as uint16.

    Raises
    ------
    ValueError
        If the width is out of range or the bytes are not exactly those of ``count`` indices.
    """
    if width <= 8:
        return unpack(packed, width, count).astype(np.uint16)
    high = unpack(packed[count:], width - 8, count).astype(np.uint16)
    return packed[:count].astype(np.uint16) | np.left_shift(high, 8)
