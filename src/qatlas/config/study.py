"""A whole study, and what its parts must agree on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from qatlas.codecs import registry
from qatlas.config.codec_grids import CodecGrid
from qatlas.config.function import Function, NamedLanguageModel
from qatlas.config.geometry import Geometry
from qatlas.config.lut import Lut
from qatlas.config.models import AnyModel, SampledModel
from qatlas.config.rate_distortion import RateDistortion
from qatlas.config.robustness import Robustness
from qatlas.config.section import Name, Section, Seed
from qatlas.config.text import AnyText, DocstringText
from qatlas.config.training import Training
from qatlas.errors import nearest

FLOAT_SERIES = ("float32", "bfloat16", "float16")
"""Series that every language model is measured at besides."""
ALL_SAMPLED = "_sampled"
"""The batch of the sampled models; no name of a model begins so."""
_FOLDERS = ("tables", "figures")
"""What lies beside the models in results/weights and results/rate_distortion."""


class Study(Section):
    """Everything a study is: what is quantized, how, and what is shown."""

    seed: Seed = Field(0, description="All randomness derives from it and from names.")
    figure_formats: tuple[Literal["svg", "eps", "png"], ...] = Field(
        (),
        description="What figures are written as besides PDF and preview; `png` has 300 dpi and "
        "ends in `.300dpi.png`.",
    )
    models: dict[Name, AnyModel] = Field(min_length=1, description="Models by name.")
    codecs: dict[Name, CodecGrid] = Field(min_length=1, description="Codec grids by name.")
    text: AnyText = Field(
        DocstringText(),
        description="The text of models that are trained here; by default, docstrings.",
    )
    training: Training = Field(
        Training(), description="How `snakemake train` trains language models on that text."
    )
    rate_distortion: RateDistortion = Field(description="The chapter rate_distortion.")
    function: Function | None = Field(
        None, description="The chapter function; without it there are no language models."
    )
    robustness: Robustness | None = Field(
        None, description="Perplexity against precision, of the chapter function's models."
    )
    lut: Lut | None = Field(
        None, description="The chapter lut; without it no multiplication goes by table."
    )
    geometry: Geometry | None = Field(
        None, description="The chapter geometry; without it no set of errors is computed."
    )

    @field_validator("models", mode="after")
    @classmethod
    def _names_leave_room(cls, models: dict[str, AnyModel]) -> dict[str, AnyModel]:
        for name in models:
            if name in _FOLDERS or name.startswith("summary."):
                raise ValueError(
                    f"{name} is what a folder or file of the results is called; rename the model"
                )
        return models

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
        _require_known(
            (f"rate_distortion.{key}", found, allowed) for key, found, allowed in references
        )
        include = self.models[chapter.example.model].include
        if not any(fnmatch(chapter.example.tensor, pattern) for pattern in include):
            raise ValueError(
                f"rate_distortion.example.tensor: models.{chapter.example.model}.include leaves "
                f"{chapter.example.tensor!r} out"
            )
        return self

    @model_validator(mode="after")
    def _references_of_function_exist(self) -> "Study":
        chapter, graph = self.function, self.robustness
        if chapter is None:
            if graph and not (graph.simulate or graph.results_dir):
                raise ValueError(
                    "robustness: there is no section function whose models could be measured; add "
                    "one, or give results_dir"
                )
            return self
        if shared := sorted(chapter.codecs.keys() & self.codecs.keys()):
            raise ValueError(f"function.codecs: {', '.join(shared)} is a name under codecs too")
        grids = {*chapter.series, *chapter.codecs}
        lines = graph.lines if graph else {}
        references: list[tuple[str, str, Collection[str]]] = [
            *(
                (f"function.models.{name}.model", model.model, self.models)
                for name, model in chapter.models.items()
                if isinstance(model, NamedLanguageModel)
            ),
            *(("function.series", series, self.codecs) for series in chapter.series),
            *(
                (f"function.checkpoints.{name}.base", checkpoint.base, chapter.models)
                for name, checkpoint in chapter.checkpoints.items()
            ),
            ("function.sensitivity.series", chapter.sensitivity.series, grids),
            *((f"robustness.lines.{name}", series, grids) for name, series in lines.items()),
            *_references_of_encoders(chapter, self.models, self.codecs),
        ]
        _require_known(references)
        _require_trainings(chapter)
        if graph:
            _require_measured(graph, chapter)
        if shared := sorted(chapter.checkpoints.keys() & {*grids, *FLOAT_SERIES}):
            raise ValueError(
                f"function.checkpoints: {', '.join(shared)} is the name of a series already; "
                "tables could not tell them apart, so take another"
            )
        return self

    @model_validator(mode="after")
    def _references_of_lut_exist(self) -> "Study":
        known = self.function.models if self.function else {}
        if self.lut and self.lut.operands:
            _require_known([("lut.operands.model", self.lut.operands.model, known)])
        if self.lut and self.lut.language_models:
            named = self.lut.language_models.models
            _require_known(("lut.language_models.models", model, known) for model in named)
            _require_a_window(
                "lut.language_models.tokens", self.lut.language_models.tokens, self.text.context
            )
        return self

    @model_validator(mode="after")
    def _references_of_geometry_exist(self) -> "Study":
        section = self.geometry.layers if self.geometry else None
        if section is None:
            return self
        if self.function is None:
            raise ValueError(
                "geometry.layers: there is no section function, which describes the models; add "
                "one, or leave geometry.layers out"
            )
        encoders = self.function.encoders.models if self.function.encoders else ()
        _require_known(
            [
                *(("geometry.layers.encoders", name, encoders) for name in section.encoders),
                *(
                    ("geometry.layers.language_models", name, self.function.models)
                    for name in section.language_models
                ),
            ]
        )
        if section.language_models:
            _require_a_window("geometry.layers.tokens", section.tokens, self.text.context)
        return self

    def function_grids(self) -> dict[str, CodecGrid]:
        """Codec grids with which language models are quantized, by name."""
        if self.function is None:
            return {}
        shared = {name: self.codecs[name] for name in self.function.series}
        return shared | self.function.codecs

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
        grids = [grid for grid in self.codecs.values() if grid.codec == family]
        return tuple(sorted({family}.union(*map(codecs_of, grids))))

    def most_weights(self, family: str) -> dict[str, int]:
        """How many weights of a tensor are measured at most, by the grids that limit it."""
        grids = {n: grid.most_weights for n, grid in self.codecs.items() if grid.codec == family}
        return {name: most for name, most in grids.items() if most is not None}

    def plan(self, family: str) -> dict[str, list[dict[str, Any]]]:
        """The points of one codec, by the name of the grid they belong to."""
        return {n: grid.points() for n, grid in self.codecs.items() if grid.codec == family}


def _references_of_encoders(
    chapter: Function, models: Mapping[str, AnyModel], codecs: Collection[str]
) -> Iterator[tuple[str, str, Collection[str]]]:
    """What the section encoders names, as ``_require_known`` takes it."""
    if chapter.encoders:
        trained = [name for name, model in models.items() if not isinstance(model, SampledModel)]
        for name in chapter.encoders.models:
            yield "function.encoders.models", name, trained
        for name in chapter.encoders.series:
            yield "function.encoders.series", name, codecs


def _require_known(references: Iterable[tuple[str, str, Collection[str]]]) -> None:
    """Refuse a key that names what is not there; each is the key, the name and what is there."""
    for key, found, allowed in references:
        if found not in allowed:
            raise ValueError(f"{key}: nothing is called {found!r}; {nearest(found, allowed)}")


def _require_a_window(key: str, tokens: int, context: int) -> None:
    """Refuse a part of the text that is shorter than what a model reads at once."""
    if tokens < context:
        raise ValueError(
            f"{key}: found {tokens}, less than one window of text.context, {context}; give at "
            "least as many"
        )


def _require_trainings(chapter: Function) -> None:
    """Refuse a checkpoint of a training that its base has not."""
    for name, checkpoint in chapter.checkpoints.items():
        seeds = chapter.models[checkpoint.base].seeds
        if checkpoint.seed not in seeds:
            raise ValueError(
                f"function.checkpoints.{name}.seed: found {checkpoint.seed}; allowed are the seeds "
                f"of function.models.{checkpoint.base}: {', '.join(map(str, seeds))}"
            )


def _require_measured(graph: Robustness, chapter: Function) -> None:
    """Refuse a width of the robustness graph at which the chapter evaluates nothing."""
    floats = (32, 16)
    unmeasured = [b for b in graph.bit_widths if chapter.bits and b not in (*floats, *chapter.bits)]
    if unmeasured and not (graph.simulate or graph.results_dir):
        raise ValueError(
            f"robustness.bit_widths: {', '.join(map(str, unmeasured))} is not among function.bits "
            f"({', '.join(f'{b:g}' for b in chapter.bits or ())}); add it there or leave it out"
        )


def codecs_of(grid: CodecGrid) -> set[str]:
    """Names of a grid's codec and of all codecs inside it."""
    return {grid.codec}.union(*map(_codecs_in, grid.points()))


def _codecs_in(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Names of the codecs that parameters describe in sections of their own."""
    for section in parameters.values():
        if isinstance(section, Mapping):
            if "codec" in section:
                yield section["codec"]
            yield from _codecs_in(section)
