"""Chained multiplication and dot products by look-up."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from qatlas.config.section import Name, Section

Method = Literal["nearest", "stochastic", "bilinear"]
Reference = Literal["float8", "float16", "float32", "float64"]
Size = Annotated[int, Field(ge=2, le=4096)]
Range = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Steps = Annotated[int, Field(ge=8, le=1_000_000)]

_LARGEST = {"float8": 448.0, "float16": 65504.0, "float32": 3.4e38, "float64": 1.7e308}
_ALIASES = {"matmul": "dot"}


class Drawn(Section):
    """Variants that have figures of their own; others are drawn when asked for by name."""

    encodings: tuple[Name, ...] = Field(min_length=1, description="Encodings of their tables.")
    sizes: tuple[Size, ...] = Field(min_length=1, description="Levels of their tables.")
    methods: tuple[Method, ...] = Field(min_length=1, description="How products are looked up.")


class Ranges(Section):
    """A comparison of ranges, among them those below 1, where products are less than operands."""

    ranges: tuple[Range, ...] = Field((0.25, 0.5, 1.0, 2.0, 4.0), description="Values of R.")
    sizes: tuple[Size, ...] = Field((16, 256), description="Levels of the tables.")


class Simulations(Section):
    """Chained multiplication and dot products by look-up, over an ensemble."""

    operations: tuple[Literal["chain", "dot"], ...] = Field(
        ("chain", "dot"),
        min_length=1,
        description="chain: one factor after the other; dot, or matmul: a dot product.",
    )
    encodings: tuple[Name, ...] | None = Field(
        None, min_length=1, description="Encodings of the tables; by default the chapter's."
    )
    sizes: tuple[Size, ...] | None = Field(
        None, min_length=1, description="Levels of the tables; by default the chapter's."
    )
    methods: tuple[Method, ...] = Field(
        ("nearest", "stochastic", "bilinear"),
        min_length=1,
        description="How products are looked up.",
    )
    references: tuple[Reference, ...] = Field(
        ("float8", "float16", "float32", "float64"),
        min_length=1,
        description="Arithmetic that results are compared with; float8 is E4M3. Laws of growth "
        "need float64.",
    )
    shown_reference: Reference = Field("float16", description="The one that figures show.")
    steps: Steps = Field(1024, description="Multiplications of a trajectory.")
    batch: tuple[Steps, ...] = Field(
        (100, 1000), description="Fewer steps after which results are reported and drawn too."
    )
    seeds: int = Field(
        1000, ge=2, le=100_000, description="Trajectories, the same for all variants."
    )
    comparison: Ranges = Field(Ranges(), description="A comparison of ranges.")
    drawn: Drawn | None = Field(
        None, description="Variants with figures of their own; without it there are none."
    )

    @field_validator("operations", mode="before")
    @classmethod
    def _by_their_names(cls, given: Any) -> Any:
        """The aliases of operations resolved; what is no list is left to the next check."""
        if not isinstance(given, Iterable) or isinstance(given, str):
            return given
        return tuple(_ALIASES.get(name, name) for name in given)

    @field_validator("operations", "encodings", "sizes", "methods", "references", "batch")
    @classmethod
    def _once(cls, given: tuple[object, ...] | None) -> tuple[object, ...] | None:
        if given is not None and len(set(given)) < len(given):
            raise ValueError(f"found {list(given)}; give every one once (matmul is dot)")
        return given

    @model_validator(mode="after")
    def _agrees(self) -> "Simulations":
        if self.shown_reference not in self.references:
            raise ValueError(
                f"shown_reference is {self.shown_reference}, which is not one of references "
                f"({', '.join(self.references)}); add it there or show another"
            )
        if longer := [steps for steps in self.batch if steps > self.steps]:
            raise ValueError(
                f"batch: {longer[0]} is more than steps, which is {self.steps}; raise steps"
            )
        self.require_held(*self.comparison.ranges)
        return self

    def require_held(self, *ranges: float) -> None:
        """Refuse ranges whose sums and products overflow a reference before they saturate.

        Raises
        ------
        ValueError
            Naming the reference, the range and the largest one that it holds.
        """
        for limit in ranges:
            for reference in self.references:
                largest = min(_LARGEST[reference] / 2, 2 * _LARGEST[reference] ** 0.5)
                if limit > largest:
                    raise ValueError(
                        f"range {limit:g} overflows {reference}, one of simulations.references; "
                        f"it holds ranges up to {largest:g}"
                    )
