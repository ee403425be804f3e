"""How it is quantized: codecs and lists of their parameters."""

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from qatlas.codecs import registry
from qatlas.config.section import Section

_MOST_POINTS = 1000
"""A curve of so many points hides none between them."""


class CodecGrid(Section):
    """A codec and its parameters: one curve; a list of values stands for one point each."""

    model_config = ConfigDict(extra="allow", frozen=True)

    codec: str = Field(description="Name of the codec; its parameters are keys beside it.")
    most_weights: int | None = Field(
        None,
        ge=1,
        le=2**40,
        description="Measure rows drawn at random, of together at most so many weights of a "
        "tensor; for slow codecs. All by default.",
    )

    @model_validator(mode="after")
    def _check_every_point(self) -> "CodecGrid":
        for parameter, values in (self.model_extra or {}).items():
            if values == []:
                raise ValueError(f"{parameter} is an empty list; give at least one value")
        if (count := _count(self.model_extra or {})) > _MOST_POINTS:
            raise ValueError(
                f"its lists make {count} points; allowed are {_MOST_POINTS}; give fewer values"
            )
        rates: dict[float, dict[str, Any]] = {}
        for point in self.points():
            bits = registry.create(self.codec, **point).nominal_bits
            if bits in rates:
                # A grid is one curve: two points of the same rate would be two.
                raise ValueError(
                    f"{rates[bits]} and {point} both have {bits:g} bits; give each its own row"
                )
            rates[bits] = point
        return self

    def points(self) -> list[dict[str, Any]]:
        """Parameters of every point of the grid, in the order of the lists."""
        return _expand(self.model_extra or {})


def _count(parameters: Mapping[str, Any]) -> int:
    """How many combinations ``_expand`` gives."""
    return prod(
        len(value) if isinstance(value, list) else _count(value) if isinstance(value, dict) else 1
        for value in parameters.values()
    )


def _expand(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the listed values; a section (an inner codec) is expanded too."""
    axes = [
        value if isinstance(value, list) else _expand(value) if isinstance(value, dict) else [value]
        for value in parameters.values()
    ]
    return [dict(zip(parameters, values, strict=True)) for values in product(*axes)]
