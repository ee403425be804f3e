"""Names and numbers as files, readers and summaries want them."""

import math
import re
from collections.abc import Iterable

from qatlas.plotting import readable

FLOAT_BITS = 32

MISSING = "-"
"""How a missing number is written in a table."""

TITLES = {"resnet_bk": "ResNet-BK", "mamba": "Mamba", "llama": "Llama"}
"""Models as readers know them, in the order in which they are shown."""

_BITS = {"fp32": 32, "fp16": 16, "bf16": 16}
_NAMES = {32: "fp32", 16: "fp16"}


def model_key(name: str) -> str:
    """A model's name without what spellings differ in: ``ResNet-BK``, ``resnet_bk`` -> one."""
    return re.sub("[_-]", "", name).lower()


def model_title(name: str) -> str:
    """A model's name as a reader wants it."""
    titles = {model_key(known): title for known, title in TITLES.items()}
    return titles.get(model_key(name), readable(name))


def models_in_order(names: Iterable[str]) -> list[str]:
    """Every model once: those with titles first, in their order, then the others by name."""
    places = {model_key(known): place for place, known in enumerate(TITLES)}
    return sorted({*names}, key=lambda name: (places.get(model_key(name), len(places)), name))


def precision_name(bits: int) -> str:
    """Such as fp32, fp16 or int4."""
    return _NAMES.get(bits, f"int{bits}")


def bits_of_precision(name: str) -> int | None:
    """Bits of a precision of that name; None where it is none."""
    integer = re.fullmatch(r"int([1-9]\d*)", name)
    return int(integer[1]) if integer else _BITS.get(name)


def name_part(name: str) -> str:
    """A name as one part of a dotted name."""
    return re.sub(r"[^\w-]+", "_", name)


def point_name(model: str, line: str, bits: int) -> str:
    """How a summary names a model of a line at a precision."""
    return f"robustness.{name_part(model)}.{name_part(line)}.{bits}bit"


def number_text(value: float, digits: int = 2) -> str:
    """A number with digits after the point where it is below 1000, with a power of ten if huge."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else MISSING
    if abs(value) >= 1e6:
        return f"{value:.2e}"
    return f"{value:z.{digits if abs(value) < 1000 else 0}f}"
