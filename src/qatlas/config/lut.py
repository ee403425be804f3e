"""The chapter lut."""

from collections.abc import Collection, Iterable
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from qatlas.config.lut_models import LanguageModels
from qatlas.config.lut_simulations import Simulations
from qatlas.config.section import Name, PlainPath, Section, Tokens

Encoding = Literal["signed_ext", "signed_log", "unsigned", "signed", "signed_asinh"]
Multiplier = Literal["float8_e4m3", "float8_e5m2", "lns8", "mitchell8"]


class Operands(Section):
    """A language model whose activations and weights say which operands a table meets."""

    model: Name = Field(description="A name under function.models; its first training is taken.")
    part: Literal["training", "validation", "test"] = Field(
        "validation", description="Part of the text that it reads."
    )
    tokens: Tokens = Field(2048, description="Tokens of it.")


class Lut(Section):
    """The chapter lut."""

    range: float = Field(
        2.0, gt=0, allow_inf_nan=False, description="R: operands and products lie within -R and R."
    )
    sizes: tuple[Annotated[int, Field(ge=2, le=4096)], ...] = Field(
        (4, 8, 16, 32, 64, 128, 256, 512),
        min_length=1,
        description="Levels of the tables, 2 to the power of their bits.",
    )
    encodings: tuple[Encoding, ...] = Field(
        ("signed_ext", "signed_log", "unsigned", "signed", "signed_asinh"),
        min_length=1,
        description="How codes stand for products; signed always has the range 1.",
    )
    multipliers: tuple[Multiplier, ...] = Field(
        ("float8_e4m3", "float8_e5m2", "lns8", "mitchell8"),
        description="Multipliers of eight bits, of ranges of their own, that are tables too.",
    )
    tables: dict[Name, PlainPath] = Field(
        {},
        description="Tables of your own: a PNG, NPY or CSV file by name. Whole numbers are codes, "
        "evenly spaced over the range; others are products. A map that the atlas wrote keeps its "
        "own encoding and range.",
    )
    operands: Operands | None = Field(
        None, description="A language model's operands; without it tables meet uniform ones alone."
    )
    simulations: Simulations | None = Field(
        None, description="Chained multiplication and dot products; without it there are none."
    )

    language_models: LanguageModels | None = Field(
        None, description="Language models that multiply by table; none by default."
    )

    @field_validator("sizes", "encodings", "multipliers", mode="after")
    @classmethod
    def _once(cls, given: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"found {list(given)}; give every one once")
        return given

    @model_validator(mode="after")
    def _tables_have_names_of_their_own(self) -> "Lut":
        if taken := sorted(set(self.tables) & {*self.encodings, *self.multipliers}):
            raise ValueError(
                f"tables: {', '.join(taken)} is the name of an encoding or a multiplier; rename it"
            )
        return self

    @model_validator(mode="after")
    def _simulations_agree(self) -> "Lut":
        found = self.simulations
        if found is None:
            return self
        found.require_held(self.range)
        _require_known("encodings", found.encodings or (), get_args(Encoding))
        if drawn := found.drawn:
            _require_known("drawn.encodings", drawn.encodings, self.simulated_encodings)
            _require_known("drawn.sizes", drawn.sizes, self.simulated_sizes)
            _require_known("drawn.methods", drawn.methods, found.methods)
        return self

    @property
    def simulated_encodings(self) -> tuple[str, ...]:
        """Encodings whose tables are simulated."""
        own = self.simulations.encodings if self.simulations else None
        return own or self.encodings

    @property
    def simulated_sizes(self) -> tuple[int, ...]:
        """Sizes of tables that are simulated."""
        own = self.simulations.sizes if self.simulations else None
        return own or self.sizes


def _require_known(key: str, given: Iterable[object], allowed: Collection[object]) -> None:
    if unknown := [one for one in given if one not in allowed]:
        raise ValueError(
            f"simulations.{key}: {unknown[0]} is not one of {', '.join(map(str, allowed))}"
        )
