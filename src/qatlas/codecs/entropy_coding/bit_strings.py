"""Small headers as strings of "0" and "1", and the bytes these make."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError


def gamma(value: int) -> str:
    """Elias gamma code of ``value`` + 1, 2 floor(log2(value + 1)) + 1 bits.

    Source: Elias, "Universal codeword sets and representations of the integers", IEEE Trans.
    Inf. Theory 21 (1975).
    """
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def to_bytes(fields: Iterable[str]) -> NDArray[np.uint8]:
    """Fields end to end, padded with zeros to whole bytes; uint8."""
    digits = np.frombuffer("".join(fields).encode(), np.uint8) - ord("0")
    return np.packbits(digits)


class BitReader:
    """Reads fields from what ``to_bytes`` made, front to back."""

    def __init__(self, packed: NDArray[np.uint8]) -> None:
        self._digits = (np.unpackbits(packed) + ord("0")).tobytes().decode()
        self._position = 0

    def take(self, width: int) -> int:
        """The next ``width`` bits as a number.

        Raises
        ------
        CodecError
            If there are fewer bits left.
        """
        stop = self._position + width
        if stop > len(self._digits):
            raise CodecError("a stored table ends early: the file is damaged or of another codec")
        field, self._position = self._digits[self._position : stop], stop
        return int(field, 2) if field else 0

    def gamma(self) -> int:
        """The number that ``gamma`` wrote.

        Raises
        ------
        CodecError
            If there are fewer bits left.
        """
        one = self._digits.find("1", self._position)
        zeros = (one if one >= 0 else len(self._digits)) - self._position
        self._position += zeros
        return self.take(zeros + 1) - 1
