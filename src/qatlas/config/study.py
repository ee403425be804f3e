"""A whole study, and what its parts must agree on."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from pydantic import Field, field_validator, model_validator

from qatlas.codecs import registry
from qatlas.config.codec_grids import CodecGrid
from qatlas.config.models import AnyModel, SampledModel
from qatlas.config.rate_distortion import RateDistortion
from qatlas.config.section import Name, Section
from qatlas.config.text import AnyText, DocstringText
from qatlas.errors import nearest

ALL_SAMPLED = "_sampled"
"""The batch of the sampled models; no name of a model begins so."""


class Study(Section):
    """Everything a study is: what is quantized, how, and what is shown."""

    seed: int = Field(0, ge=0, description="All randomness derives from it and from names.")
    models: dict[Name, AnyModel] = Field(min_length=1, description="Models by name.")
    codecs: dict[Name, CodecGrid] = Field(min_length=1, description="Codec grids by name.")
    text: AnyText = Field(
        DocstringText(),
        description="The text of models that are trained here; by default, docstrings.",
    )
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

    def batches(self) -> dict[str, tuple[str, ...]]:
        """Models that share their jobs, by the name that their files go by.

        Sampled models are small and go together, since a job takes seconds before it measures
        anything. Every other model goes alone, by its own name.
        """
        batches: dict[str, tuple[str, ...]] = {}
        for name, model in self.models.items():
            batch = ALL_SAMPLED if isinstance(model, SampledModel) else name
            batches[batch] = (*batches.get(batch, ()), name)
        return batches

    def families(self) -> tuple[str, ...]:
        """Names of the codecs in use, sorted."""
        return tuple(sorted({grid.codec for grid in self.codecs.values()}))

    def codecs_in(self, family: str) -> tuple[str, ...]:
        """Names of a codec and of all codecs inside it, sorted."""
        points = [point for grid in self.plan(family).values() for point in grid]
        return tuple(sorted({family, *(name for point in points for name in _codecs_in(point))}))

    def most_weights(self, family: str) -> dict[str, int]:
        """How many weights of a tensor are measured at most, by the grids that limit it."""
        grids = {n: grid.most_weights for n, grid in self.codecs.items() if grid.codec == family}
        return {name: most for name, most in grids.items() if most is not None}

    def plan(self, family: str) -> dict[str, list[dict[str, Any]]]:
        """The points of one codec, by the name of the grid they belong to."""
        return {n: grid.points() for n, grid in self.codecs.items() if grid.codec == family}


def _codecs_in(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Names of the codecs that parameters describe in sections of their own."""
    for section in parameters.values():
        if isinstance(section, Mapping):
            if "codec" in section:
                yield section["codec"]
            yield from _codecs_in(section)
