"""Codes of a few bits in words of 32."""

from typing import TYPE_CHECKING

import numpy as np

from qatlas.codecs.base import as_array
from qatlas.codecs.packing import pack, unpack
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

WORD = 32
"""Bits of a word."""


def codes_of(words: "Tensor", bits: int) -> "Tensor":
    """Codes that follow each other from the lowest bit of the first word of a row on.

    Of 3 bits some lie across two words; of 2, 4 and 8 none does.

    Parameters
    ----------
    words
        Int32, shape (rows, n).
    bits
        Of a code, 1 to 8; n words hold a whole number of codes.

    Returns
    -------
    Tensor
        Uint8, shape (rows, 32 n / bits).
    """
    rows, count = words.shape[0], words.shape[1] * WORD // bits
    stream = as_array(words.contiguous()).reshape(-1).view(np.uint8)
    return torch.from_numpy(unpack(stream, bits, rows * count).reshape(rows, count))


def plus_one(words: "Tensor", bits: int) -> "Tensor":
    """Words whose codes are each one more; what a word cannot hold is dropped.

    The word is added to as a whole, so that this undoes the subtraction of one from every code
    even where a code of 0 borrowed from the next. No code may lie across words.
    """
    ones = pack(np.ones(words.shape[1] * WORD // bits, np.uint8), bits)
    return words + torch.from_numpy(ones.view(np.int32))
