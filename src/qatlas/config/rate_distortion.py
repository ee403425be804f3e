"""The chapter rate_distortion."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from qatlas.config.section import Name, Section


class Example(Section):
    """The one tensor that figures of a single tensor show."""

    model: Name = Field(description="A name under models.")
    tensor: str = Field(description="Name of the tensor in its checkpoint.")


Weighting = Literal["plain", "normalised"]
"""How the errors of a model's tensors are added up."""


class Allocation(Section):
    """A codec for every tensor of a model, so that the whole keeps a budget with least error."""

    models: tuple[Name, ...] = Field((), description="Models to plan; if none, the example's.")
    budgets: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="Bits per weight of the whole model, everything charged, rising."
    )
    weightings: tuple[Weighting, ...] = Field(
        ("plain", "normalised"),
        min_length=1,
        description="What is least: the sum of all squared errors, or that of every tensor's "
        "relative to its variance.",
    )
    series: tuple[Name, ...] = Field(
        (), description="Codec grids to choose from; if none are named, all."
    )
    shown_budget: float = Field(description="The budget whose plan is shown by kind of tensor.")

    @field_validator("budgets", mode="after")
    @classmethod
    def _rise(cls, budgets: tuple[float, ...]) -> tuple[float, ...]:
        if list(budgets) != sorted(set(budgets)):
            raise ValueError(f"found {list(budgets)}; give every budget once, the smallest first")
        return budgets

    @model_validator(mode="after")
    def _shows_a_budget(self) -> "Allocation":
        if self.shown_budget not in self.budgets:
            budgets = ", ".join(f"{budget:g}" for budget in self.budgets)
            raise ValueError(
                f"shown_budget is {self.shown_budget:g}, which is not a budget; allowed: {budgets}"
            )
        return self


class RateDistortion(Section):
    """The chapter rate_distortion."""

    example: Example = Field(description="The tensor that single-tensor figures show.")
    by_tensor: Name = Field(description="Codec of the bit sweep with one scale a tensor.")
    by_channel: Name = Field(
        description="Codec of the bit sweep with one scale a channel, and of the sensitivity."
    )
    sensitivity_bits: int = Field(4, ge=1, le=8, description="Bits at which tensors are compared.")
    allocation: Allocation = Field(description="Plans of a codec for every tensor of a model.")

    def allocated_models(self) -> tuple[str, ...]:
        """Models for which plans are made."""
        return self.allocation.models or (self.example.model,)
