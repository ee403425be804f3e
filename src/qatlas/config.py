"""The only description of the configuration: keys, types, defaults, meanings."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from qatlas.codecs import registry
from qatlas.errors import AtlasError, nearest

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$")]
"""Names become parts of paths and of dotted names, so they are plain."""


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(Section):
    """What all models have in common."""

    include: tuple[str, ...] = Field(
        ("*",), min_length=1, description="Name patterns of the tensors to quantize."
    )
    smallest: int = Field(4096, ge=1, description="Fewest weights of a tensor to quantize.")
    shards: int = Field(1, ge=1, le=10_000, description="Jobs that share the model's tensors.")


class PackagedModel(Model):
    """A checkpoint carried by an installed Python package."""

    package: str = Field(description="Name of the package as pip knows it.")
    folder: str = Field(description="Folder of the checkpoint inside the installed package.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Checksum of model.safetensors.")


class HubModel(Model):
    """A model of the Hugging Face hub."""

    hub: str = Field(pattern=r"^[^/\s]+/[^/\s]+$", description="Repository: organisation/name.")
    revision: str = Field(description="Commit, tag or branch; only a commit never changes.")


class LocalModel(Model):
    """A snapshot folder on this machine."""

    path: str = Field(description="Folder with *.safetensors and, as a rule, config.json.")


class SampledModel(Model):
    """One matrix of independent samples, whose rate-distortion function is known."""

    distribution: Literal["gaussian", "laplace", "student_t"] = Field(
        description="Distribution of the weights; their variance is one."
    )
    rows: int = Field(1024, ge=1, description="Output channels.")
    columns: int = Field(1024, ge=1, description="Input channels.")
    degrees_of_freedom: float = Field(5.0, gt=2, description="Of student_t; others ignore it.")


_KINDS_OF_MODEL: dict[str, type[Model]] = {
    "package": PackagedModel,
    "hub": HubModel,
    "path": LocalModel,
    "distribution": SampledModel,
}


def _kind_of_model(given: Any) -> str | None:
    """The one key that tells which kind of model is meant."""
    keys = given if isinstance(given, Mapping) else getattr(type(given), "model_fields", ())
    found = [kind for kind in _KINDS_OF_MODEL if kind in keys]
    return found[0] if len(found) == 1 else None


AnyModel = Annotated[
    Annotated[PackagedModel, Tag("package")]
    | Annotated[HubModel, Tag("hub")]
    | Annotated[LocalModel, Tag("path")]
    | Annotated[SampledModel, Tag("distribution")],
    Discriminator(
        _kind_of_model,
        custom_error_type="kind_of_model",
        custom_error_message=f"a model has exactly one of the keys {', '.join(_KINDS_OF_MODEL)}",
    ),
]


class CodecGrid(Section):
    """A codec and its parameters: one curve; a list of values stands for one point each."""

    model_config = ConfigDict(extra="allow", frozen=True)

    codec: str = Field(description="Name of the codec; its parameters are keys beside it.")
    most_weights: int | None = Field(
        None,
        ge=1,
        description="Measure rows drawn at random, of together at most so many weights of a "
        "tensor; for slow codecs. All by default.",
    )

    @model_validator(mode="after")
    def _check_every_point(self) -> "CodecGrid":
        for parameter, values in (self.model_extra or {}).items():
            if values == []:
                raise ValueError(f"{parameter} is an empty list; give at least one value")
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


def _expand(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the listed values; a section (an inner codec) is expanded too."""
    axes = [
        value if isinstance(value, list) else _expand(value) if isinstance(value, dict) else [value]
        for value in parameters.values()
    ]
    return [dict(zip(parameters, values, strict=True)) for values in product(*axes)]


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


class Study(Section):
    """Everything a study is: what is quantized, how, and what is shown."""

    seed: int = Field(0, ge=0, description="All randomness derives from it and from names.")
    models: dict[Name, AnyModel] = Field(min_length=1, description="Models by name.")
    codecs: dict[Name, CodecGrid] = Field(min_length=1, description="Codec grids by name.")
    rate_distortion: RateDistortion = Field(description="The chapter rate_distortion.")

    @field_validator("codecs", mode="after")
    @classmethod
    def _points_differ(cls, codecs: dict[str, CodecGrid]) -> dict[str, CodecGrid]:
        seen: dict[str, str] = {}
        for name, grid in codecs.items():
            for point in grid.points():
                codec = registry.create(grid.codec, **point)
                key = f"{grid.codec} {registry.parameters_of(codec)}"
                if key in seen:
                    raise ValueError(f"{name} and {seen[key]} both hold {key}; remove one")
                seen[key] = name
        return codecs

    @model_validator(mode="after")
    def _references_exist(self) -> "Study":
        chapter = self.rate_distortion
        references: list[tuple[str, str, Collection[str]]] = [
            ("example.model", chapter.example.model, self.models),
            ("by_tensor", chapter.by_tensor, self.codecs),
            ("by_channel", chapter.by_channel, self.codecs),
            *(("allocation.models", model, self.models) for model in chapter.allocation.models),
            *(("allocation.series", series, self.codecs) for series in chapter.allocation.series),
        ]
        for key, found, allowed in references:
            if found not in allowed:
                raise ValueError(
                    f"rate_distortion.{key}: nothing is called {found!r}; {nearest(found, allowed)}"
                )
        include = self.models[chapter.example.model].include
        if not any(fnmatch(chapter.example.tensor, pattern) for pattern in include):
            raise ValueError(
                f"rate_distortion.example.tensor: models.{chapter.example.model}.include leaves "
                f"{chapter.example.tensor!r} out"
            )
        return self

    def families(self) -> tuple[str, ...]:
        """Names of the codecs in use, sorted."""
        return tuple(sorted({grid.codec for grid in self.codecs.values()}))

    def most_weights(self, family: str) -> dict[str, int]:
        """How many weights of a tensor are measured at most, by the grids that limit it."""
        grids = {n: grid.most_weights for n, grid in self.codecs.items() if grid.codec == family}
        return {name: most for name, most in grids.items() if most is not None}

    def plan(self, family: str) -> dict[str, list[dict[str, Any]]]:
        """The points of one codec, by the name of the grid they belong to."""
        return {n: grid.points() for n, grid in self.codecs.items() if grid.codec == family}


def load(given: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises
    ------
    AtlasError
        If anything is wrong with it: a line for every problem, with the key, what was found and
        what is allowed.
    """
    try:
        return Study.model_validate(given)
    except ValidationError as error:
        problems = [f"  {_sentence(problem)}" for problem in error.errors()]
        raise AtlasError("\n".join(["the configuration is not valid:", *problems])) from error


def _sentence(problem: Mapping[str, Any]) -> str:
    key, what = _where(problem["loc"]), _what(problem)
    # What is wrong with several sections together names its key itself.
    return f"{key}: {what}" if key else what


def _where(location: tuple[int | str, ...]) -> str:
    """Dotted key; what pydantic adds is none: the kind of a model, the mark of a wrong name."""
    of_model = location[:1] == ("models",)
    keys = location[:2] + location[3:] if of_model and len(location) > 2 else location
    return ".".join(str(key) for key in keys if key != "[key]")


def _what(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        *section, key = problem["loc"]
        return f"there is no such key; {nearest(str(key), _section(section).model_fields)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "kind_of_model":
        return f"{message}; found {_kinds_found(problem['input'])}"
    if problem["type"] in ("value_error", "missing"):
        return message
    return f"{message}; found {problem['input']!r}"


def _kinds_found(model: Any) -> str:
    """What stands in a model that has none or several of the keys that tell its kind."""
    if not isinstance(model, Mapping):
        return repr(model)
    if several := [kind for kind in _KINDS_OF_MODEL if kind in model]:
        return " and ".join(several)
    known = {key for kind in _KINDS_OF_MODEL.values() for key in kind.model_fields}
    strange = next((str(key) for key in model if key not in known), None)
    return f"{strange!r}, {nearest(strange, _KINDS_OF_MODEL)}" if strange else "none of them"


def _section(location: list[int | str]) -> type[BaseModel]:
    """The section at a place of the configuration."""
    section: type[BaseModel] = Study
    for key in map(str, location):
        if key in _KINDS_OF_MODEL:
            section = _KINDS_OF_MODEL[key]
        elif key in section.model_fields:
            annotation = section.model_fields[key].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                section = annotation
    return section
