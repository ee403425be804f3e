"""The ways in which a language model multiplies, each less exact than the one before.

Three evaluations split the error: operands on levels, multiplied and added exactly; products of the
table in their place, still added exactly; the accumulator in place of exact sums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qatlas.config.lut_models import LanguageModels
from qatlas.lut.language_models.stages import (
    ACCUMULATE,
    ENCODE,
    EXACT,
    NEAREST,
    PRODUCT,
    STOCHASTIC,
)
from qatlas.lut.multipliers import multiplier_table


@dataclass(frozen=True)
class Point:
    """One way to multiply.

    Attributes
    ----------
    stage
        ``ENCODE``, ``PRODUCT`` or ``ACCUMULATE``.
    encoding
        Of products, or a multiplier; ``EXACT`` where they are true and operands on even levels.
    size
        S, levels of operands and of products.
    method
        How operands go to levels, nearest or stochastic.
    accumulator
        How products are added; ``EXACT`` where sums are.
    """

    stage: str
    encoding: str
    size: int
    method: str
    accumulator: str

    def __str__(self) -> str:
        return f"{self.stage} {self.encoding} {self.size} {self.method} {self.accumulator}"


def points_of_every_model(settings: LanguageModels) -> list[Point]:
    """Points at which all language models are measured: nearest levels, exact sums."""
    return [
        *encoded(settings.encodings, settings.sizes, NEAREST),
        *multiplied(settings.multipliers),
    ]


def further_points(settings: LanguageModels) -> list[Point]:
    """Points of the first language model besides: levels at random, and accumulators."""
    return [
        *encoded(settings.encodings, settings.stochastic, STOCHASTIC),
        *(
            Point(ACCUMULATE, encoding, size, NEAREST, accumulator)
            for size in settings.accumulated
            for encoding in settings.encodings
            for accumulator in settings.accumulators
        ),
    ]


def encoded(encodings: Sequence[str], sizes: Sequence[int], method: str) -> Iterator[Point]:
    """Operands on levels, and products of every encoding's table, of every size."""
    for size in sizes:
        yield Point(ENCODE, EXACT, size, method, EXACT)
        for encoding in encodings:
            yield Point(PRODUCT, encoding, size, method, EXACT)


def multiplied(multipliers: Sequence[str]) -> Iterator[Point]:
    """Products of multipliers, each of which has levels of its own."""
    for name in multipliers:
        yield Point(PRODUCT, name, multiplier_table(name).size, NEAREST, EXACT)
