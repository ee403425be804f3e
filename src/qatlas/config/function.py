"""The chapter function."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from qatlas.config.codec_grids import CodecGrid
from qatlas.config.models import HUB_NAME, Revision
from qatlas.config.section import Batch, Name, Section, Seed, Tokens, only_key_of

Device = Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")]


class LanguageModel(Section):
    """What all language models have in common."""


class FolderLanguageModel(LanguageModel):
    """A causal language model with its tokenizer in a folder, or one folder a training."""

    folder: str = Field(
        pattern=r"^([^{}]|\{seed\})+$",
        description="Folder; {seed} in it stands for each of the seeds. Those under "
        "results/models/trained are trained when they are missing.",
    )
    seeds: tuple[Seed, ...] = Field(
        (0,), min_length=1, description="Its trainings; the first is measured in every way."
    )

    @model_validator(mode="after")
    def _a_folder_a_seed(self) -> "FolderLanguageModel":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: found {list(self.seeds)}; give every seed once")
        if len(self.seeds) > 1 and "{seed}" not in self.folder:
            raise ValueError(
                f"folder is {self.folder}, the same for all of seeds {list(self.seeds)}; put "
                "{seed} where they differ"
            )
        return self

    def folder_of(self, seed: int) -> str:
        """Folder of one training."""
        return self.folder.replace("{seed}", str(seed))


class NamedLanguageModel(LanguageModel):
    """A causal language model that is also one of the models."""

    model: Name = Field(description="A name under models, whose snapshot holds the tokenizer too.")

    @property
    def seeds(self) -> tuple[int, ...]:
        """It has one training."""
        return (0,)

    def folder_of(self, seed: int) -> str:
        """Folder of its snapshot."""
        return f"results/weights/{self.model}/snapshot"


KINDS_OF_LANGUAGE_MODEL: dict[str, type[LanguageModel]] = {
    "folder": FolderLanguageModel,
    "model": NamedLanguageModel,
}
"""The sections that describe a language model, by the key that only they have."""


def _kind_of_language_model(given: Any) -> str | None:
    return only_key_of(KINDS_OF_LANGUAGE_MODEL, given)


AnyLanguageModel = Annotated[
    Annotated[FolderLanguageModel, Tag("folder")] | Annotated[NamedLanguageModel, Tag("model")],
    Discriminator(
        _kind_of_language_model,
        custom_error_type="kind_of_language_model",
        custom_error_message="a language model has exactly one of the keys "
        + ", ".join(KINDS_OF_LANGUAGE_MODEL),
    ),
]


class QuantizedCheckpoint(Section):
    """What all checkpoints that other tools quantized have in common."""

    base: Name = Field(
        description="Language model that it was made from, a name under function.models; it is "
        "compared with this one alone."
    )
    seed: Seed = Field(0, description="Which of the base's trainings.")


class FolderCheckpoint(QuantizedCheckpoint):
    """A quantized checkpoint on this machine: GPTQ, AWQ, compressed-tensors, bitsandbytes 4-bit."""

    folder: str = Field(
        description="Folder with *.safetensors and config.json, which has quantization_config."
    )

    def folder_of(self, name: str) -> str:
        """Where it lies."""
        return self.folder


class HubCheckpoint(QuantizedCheckpoint):
    """A quantized checkpoint of the Hugging Face hub, of the same formats."""

    hub: str = Field(pattern=HUB_NAME, description="Repository: organisation/name.")
    revision: Revision = Field(description="Commit, tag or branch; only a commit never changes.")

    def folder_of(self, name: str) -> str:
        """Folder of its snapshot."""
        return f"results/function/checkpoints/{name}/snapshot"


KINDS_OF_CHECKPOINT: dict[str, type[QuantizedCheckpoint]] = {
    "folder": FolderCheckpoint,
    "hub": HubCheckpoint,
}
"""The sections that describe a quantized checkpoint, by the key that only they have."""


def _kind_of_checkpoint(given: Any) -> str | None:
    return only_key_of(KINDS_OF_CHECKPOINT, given)


AnyCheckpoint = Annotated[
    Annotated[FolderCheckpoint, Tag("folder")] | Annotated[HubCheckpoint, Tag("hub")],
    Discriminator(
        _kind_of_checkpoint,
        custom_error_type="kind_of_checkpoint",
        custom_error_message="a quantized checkpoint has exactly one of the keys "
        + ", ".join(KINDS_OF_CHECKPOINT),
    ),
]


class Calibration(Section):
    """The text from which calibrated codecs learn how the inputs of layers vary."""

    part: Literal["training", "validation"] = Field(
        "training", description="Part of the text that it is taken from."
    )
    sequences: int = Field(64, ge=1, le=10**6, description="Sequences of it.")
    length: int = Field(256, ge=2, le=2**20, description="Tokens of a sequence.")
    memory_mb: int = Field(
        2048, ge=1, le=10**7, description="Memory for what is gathered in one pass over the text."
    )


class Sensitivity(Section):
    """The codec with which one layer at a time is quantized."""

    series: Name = Field(description="A codec grid that is evaluated.")
    bits: tuple[float, ...] = Field((4,), min_length=1, description="Which of its points.")


class Encoders(Section):
    """Sentence encoders, whose embeddings are compared before and after."""

    models: tuple[Name, ...] = Field(
        min_length=1, description="Names under models of encoders whose snapshot has a tokenizer."
    )
    pooling: Literal["mean", "cls", "max"] = Field(
        "mean", description="How an embedding is made of hidden states."
    )
    keep: tuple[str, ...] = Field(
        ("pooler.*",), description="Name patterns of weights that are not quantized."
    )
    series: tuple[Name, ...] = Field(
        min_length=1, description="Names under codecs: the grids that are evaluated."
    )
    sentences: int = Field(
        512, ge=11, le=10**6, description="Sentences of the text that are embedded."
    )


class Function(Section):
    """The chapter function."""

    models: dict[Name, AnyLanguageModel] = Field(
        min_length=1, description="Causal language models by name."
    )
    keep: tuple[str, ...] = Field(
        ("*.dt_proj.weight",),
        description="Name patterns of weights of linear layers that are not quantized.",
    )
    series: tuple[Name, ...] = Field(
        description="Names under codecs: the grids that are evaluated on all linear layers."
    )
    codecs: dict[Name, CodecGrid] = Field(
        {}, description="Further codec grids by name; these may need the second moment of inputs."
    )
    bits: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None,
        min_length=1,
        description="Nominal bits of the points that are evaluated, of all grids; all by default.",
    )
    checkpoints: dict[Name, AnyCheckpoint] = Field(
        {}, description="Checkpoints that other tools quantized, by name."
    )
    part: Literal["validation", "test"] = Field(
        "test", description="Part of the text that is predicted."
    )
    tokens: Tokens = Field(16384, description="Tokens of it.")
    batch: Batch = Field(8, description="Contexts of text at a time.")
    calibration: Calibration = Field(Calibration(), description="How inputs of layers vary.")
    sensitivity: Sensitivity = Field(description="One layer at a time.")
    encoders: Encoders | None = Field(
        None, description="Sentence encoders that are quantized too; none by default."
    )
    device: Device = Field("cpu", description="cpu, cuda or cuda:N.")

    @model_validator(mode="after")
    def _sensitivity_is_evaluated(self) -> "Function":
        missing = sorted(set(self.sensitivity.bits) - set(self.bits or self.sensitivity.bits))
        if missing:
            raise ValueError(
                f"sensitivity.bits: {', '.join(f'{b:g}' for b in missing)} is not among bits "
                f"({', '.join(f'{b:g}' for b in self.bits or ())}); add it there or leave it out"
            )
        return self
