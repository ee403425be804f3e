"""Language models that multiply by table, of the chapter lut."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from qatlas.config.section import Name, Section, Tokens

SignedEncoding = Literal["signed_ext", "signed_log", "signed_asinh"]
SignedMultiplier = Literal["float8_e4m3", "float8_e5m2", "lns8"]
Accumulator = Literal["float32", "int16", "range", "range_x4", "range_x16"]
Size = Annotated[int, Field(ge=2, le=4096)]


class LanguageModels(Section):
    """Language models all of whose linear layers multiply by table."""

    models: tuple[Name, ...] = Field(
        min_length=1,
        description="Names under function.models, whose first trainings are taken; the first of "
        "them is measured in every way. Layers that function.keep names multiply as they do.",
    )
    range: float = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="R of their tables. The largest operands are scaled to the smaller of R and "
        "its square root, so that no product is beyond R; with 1 every level and code is used.",
    )
    sizes: tuple[Size, ...] = Field(
        (8, 16, 32, 64, 128, 256), min_length=1, description="Levels of the tables."
    )
    encodings: tuple[SignedEncoding, ...] = Field(
        ("signed_ext", "signed_log", "signed_asinh"),
        min_length=1,
        description="How codes stand for products; operands have both signs.",
    )
    multipliers: tuple[SignedMultiplier, ...] = Field(
        (), description="Multipliers of eight bits whose tables are used besides."
    )
    stochastic: tuple[Size, ...] = Field(
        (), description="Sizes at which operands of the first model are rounded at random too."
    )
    accumulators: tuple[Accumulator, ...] = Field(
        (),
        description="Accumulators of the first model besides exact sums: range clips every sum to "
        "-R and R, range_x4 to four times that; int16 saturates.",
    )
    accumulated: tuple[Size, ...] = Field(
        (256,), description="Sizes of the tables whose products these add."
    )
    weight_scales: Literal["channel", "tensor"] = Field(
        "channel", description="What weights share a scale: an output channel or the tensor."
    )
    activation_scales: Literal["token", "tensor"] = Field(
        "token", description="What activations share a scale: a token's, or a batch of windows."
    )
    part: Literal["validation", "test"] = Field(
        "test", description="Part of the text that is predicted."
    )
    tokens: Tokens = Field(1024, description="Tokens of it.")

    @field_validator(
        "models", "sizes", "encodings", "multipliers", "stochastic", "accumulators", "accumulated"
    )
    @classmethod
    def _once(cls, given: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"found {list(given)}; give every one once")
        return given

    @model_validator(mode="after")
    def _sizes_are_measured(self) -> "LanguageModels":
        used = {"stochastic": self.stochastic}
        if self.accumulators:
            used["accumulated"] = self.accumulated
        for key, sizes in used.items():
            if missing := sorted(set(sizes) - set(self.sizes)):
                raise ValueError(
                    f"{key}: {', '.join(map(str, missing))} is not among sizes "
                    f"({', '.join(map(str, self.sizes))}); add it there or leave it out"
                )
        return self
