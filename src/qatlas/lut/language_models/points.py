"""The ways in which a language model multiplies, each less exact than the one before.

Three evaluations split the error: operands on levels, multiplied and added exactly; products of the
table in their place, still added exactly; the accumulator in place of exact sums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FLOAT, NOISE, ENCODE, PRODUCT, ACCUMULATE = "float", "noise", "encode", "product", "accumulate"
"""Stages: the model itself, the same computed in bfloat16, and the three of the split."""
STAGES = (FLOAT, NOISE, ENCODE, PRODUCT, ACCUMULATE)
EXACT = "exact"
"""Name of the encoding of true products, and of the accumulator whose sums are exact."""


@dataclass(frozen=True)
class Point:
    """One way to multiply.

    Attributes
    ----------
    stage
        ``ENCODE``, ``PRODUCT`` or ``ACCUMULATE``.
    encoding
        Of products; ``EXACT`` where they are true.
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


def stages(
    encodings: Sequence[str], sizes: Sequence[int], method: str, accumulators: Sequence[str]
) -> Iterator[Point]:
    """Every stage of every table, what tables share only once.

    Parameters
    ----------
    encodings, sizes
        Of tables.
    method
        Of operands.
    accumulators
        Besides exact sums.
    """
    for size in sizes:
        yield Point(ENCODE, EXACT, size, method, EXACT)
        for encoding in encodings:
            yield Point(PRODUCT, encoding, size, method, EXACT)
            for accumulator in accumulators:
                yield Point(ACCUMULATE, encoding, size, method, accumulator)
