"""What is quantized."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from qatlas.config.section import Section, only_key_of

HUB_NAME = r"^[^/\s]+/[^/\s]+$"
"""Pattern of the name of a repository of the hub."""
Revision = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_+@-]+([./][A-Za-z0-9_+@-]+)*$", max_length=200)
]
"""Commit, tag or branch of a repository of the hub; its cache has a file of that name."""
_MOST_SAMPLES = 2**28


class Model(Section):
    """What all models have in common."""

    include: tuple[str, ...] = Field(
        ("*",), min_length=1, description="Name patterns of the tensors to quantize."
    )
    smallest: int = Field(
        4096, ge=1, le=2**40, description="Fewest weights of a tensor to quantize."
    )


class Checkpoint(Model):
    """What all models that others trained have in common."""

    shards: int = Field(1, ge=1, le=10_000, description="Jobs that share the model's tensors.")


class PackagedModel(Checkpoint):
    """A checkpoint carried by an installed Python package."""

    package: str = Field(description="Name of the package as pip knows it.")
    folder: str = Field(description="Folder of the checkpoint inside the installed package.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Checksum of model.safetensors.")


class HubModel(Checkpoint):
    """A model of the Hugging Face hub."""

    hub: str = Field(pattern=HUB_NAME, description="Repository: organisation/name.")
    revision: Revision = Field(description="Commit, tag or branch; only a commit never changes.")


class LocalModel(Checkpoint):
    """A snapshot folder on this machine."""

    path: str = Field(description="Folder with *.safetensors and, as a rule, config.json.")


class SampledModel(Model):
    """One matrix of independent samples, whose rate-distortion function is known."""

    distribution: Literal["gaussian", "laplace", "student_t"] = Field(
        description="Distribution of the weights; their variance is one."
    )
    rows: int = Field(1024, ge=1, le=65_536, description="Output channels.")
    columns: int = Field(1024, ge=1, le=65_536, description="Input channels.")
    degrees_of_freedom: float = Field(5.0, gt=2, description="Of student_t; others ignore it.")

    @model_validator(mode="after")
    def _fits_memory(self) -> "SampledModel":
        if self.rows * self.columns > _MOST_SAMPLES:
            raise ValueError(
                f"rows times columns is {self.rows * self.columns}; allowed are {_MOST_SAMPLES} "
                "weights; take fewer rows, whose rate-distortion function is the same"
            )
        return self


KINDS_OF_MODEL: dict[str, type[Model]] = {
    "package": PackagedModel,
    "hub": HubModel,
    "path": LocalModel,
    "distribution": SampledModel,
}
"""The sections that describe a model, by the key that only they have."""


def _kind_of_model(given: Any) -> str | None:
    """The one key that tells which kind of model is meant."""
    return only_key_of(KINDS_OF_MODEL, given)


AnyModel = Annotated[
    Annotated[PackagedModel, Tag("package")]
    | Annotated[HubModel, Tag("hub")]
    | Annotated[LocalModel, Tag("path")]
    | Annotated[SampledModel, Tag("distribution")],
    Discriminator(
        _kind_of_model,
        custom_error_type="kind_of_model",
        custom_error_message=f"a model has exactly one of the keys {', '.join(KINDS_OF_MODEL)}",
    ),
]
