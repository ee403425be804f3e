"""How language models are trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qatlas.config.section import Batch, Section, Seed, Tokens

Architecture = Literal["llama", "mamba", "resnet_bk"]


class Training(Section):
    """Language models that are trained on the text, each architecture once a seed."""

    seeds: tuple[Seed, ...] = Field(
        (0, 1, 2), min_length=1, description="Of initial weights and of the order of the text."
    )
    learning_rates: dict[Architecture, Annotated[float, Field(gt=0)]] = Field(
        {"llama": 3e-3, "mamba": 3e-3, "resnet_bk": 6e-3},
        min_length=1,
        description="Peak learning rate of every architecture that is trained.",
    )
    steps: int = Field(1600, ge=1, le=10**8, description="Steps of the optimizer.")
    batch: Batch = Field(8, description="Contexts of text in a step.")
    warmup_steps: int = Field(
        100, ge=0, le=10**8, description="Steps in which the learning rate grows from nothing."
    )
    final_share: float = Field(
        0.1, ge=0, le=1, description="What the learning rate ends at, as a share of its peak."
    )
    weight_decay: float = Field(0.1, ge=0, description="AdamW's, of the matrices.")
    clip: float = Field(1.0, gt=0, description="Largest norm of the gradient.")
    precision: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="Of matrix products; weights and sums are float32."
    )
    validate_every: int = Field(
        200,
        ge=1,
        le=10**8,
        description="Steps between validations, where a killed training goes on.",
    )
    validation_tokens: Tokens = Field(
        65536, description="Tokens at the start of the validation part that are scored."
    )
    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?)$", description="cpu, cuda or cuda:N.")

    @model_validator(mode="after")
    def _warms_up_before_it_ends(self) -> "Training":
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps} and steps {self.steps}; the warm-up must "
                "end before the training does"
            )
        return self
