"""The part of the chapter geometry that looks at the layers of trained models."""

from typing import Annotated

from pydantic import Field, model_validator

from qatlas.config.section import Batch, Name, Section, Tokens


class Layers(Section):
    """Layers of trained models, their weights on uniform grids with one step a channel."""

    encoders: tuple[Name, ...] = Field(
        (), description="Names under function.encoders.models: sentence encoders."
    )
    language_models: tuple[Name, ...] = Field(
        (), description="Names under function.models; of each the first training."
    )
    bits: tuple[Annotated[int, Field(ge=2, le=8)], ...] = Field(
        (3, 4, 6, 8), min_length=1, description="Of the weights."
    )
    correction_bits: int = Field(
        4,
        ge=2,
        le=8,
        description="One of bits: that at which corrections are fitted and spectra are drawn.",
    )
    directions: int = Field(
        256, ge=1, le=100_000, description="Random directions in which the support is measured."
    )
    clusters: int = Field(
        8,
        ge=2,
        le=1024,
        description="Of a layer's outputs, for corrections that differ between them.",
    )
    sentences: int = Field(72, ge=1, le=10**6, description="Held-out sentences that encoders read.")
    tokens: Tokens = Field(1536, description="Tokens that language models read.")
    batch: Batch = Field(8, description="Sequences at a time.")

    @model_validator(mode="after")
    def _agrees(self) -> "Layers":
        if self.correction_bits not in self.bits:
            raise ValueError(
                f"correction_bits is {self.correction_bits}, which is not among bits "
                f"({', '.join(map(str, self.bits))}); add it there or take one of them"
            )
        if len(set(self.bits)) < len(self.bits):
            raise ValueError(f"bits: found {list(self.bits)}; give every width once")
        if shared := sorted({*self.encoders} & {*self.language_models}):
            raise ValueError(
                f"encoders and language_models: {', '.join(shared)} is a name of both; tables "
                "could not tell them apart"
            )
        if not (self.encoders or self.language_models):
            raise ValueError("encoders and language_models are both empty; name a model")
        return self
