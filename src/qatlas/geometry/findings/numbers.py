"""Numbers of a table as a summary holds them."""

import re
from collections.abc import Iterable
from math import isinf

import pandas as pd

from qatlas.summary import Summary

INFINITE = "infinite"
"""Stands for a value that JSON has no number for."""


def numbers(found: Iterable[float]) -> tuple[float | None, ...]:
    """One after the other; none where one is missing or infinite."""
    return tuple(None if pd.isna(one) or isinf(one) else float(one) for one in found)


def number(found: float | None) -> float | str | None:
    """One number, none where it is missing, and the word where it is infinite."""
    if found is None or pd.isna(found):
        return None
    return INFINITE if isinf(found) else float(found)


def inference_bits(summary: Summary) -> list[int]:
    """Bits of the integers that inference was measured with, rising."""
    names = "\n".join(summary.values)
    return sorted({int(bits) for bits in re.findall(r"fake_quantization\.\w+\.(\d+)bit", names)})
