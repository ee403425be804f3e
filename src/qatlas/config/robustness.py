"""The robustness graph: perplexity against precision."""

from typing import Annotated

from pydantic import Field, model_validator

from qatlas.config.section import Name, Section


class Robustness(Section):
    """Perplexity against precision, and the least that a deployment asks for."""

    bit_widths: tuple[Annotated[int, Field(ge=1, le=32)], ...] = Field(
        (32, 16, 8, 4, 2),
        min_length=2,
        description="Precisions: 32 is the model itself, 16 its weights in float16, others codes.",
    )
    lines: dict[Name, Name] = Field(
        min_length=1, description="Codec grids of the lines, by the names of the lines."
    )
    shown_line: Name = Field(description="The line that is drawn for all models together.")
    absolute_threshold: float = Field(
        100.0, gt=1, description="Largest perplexity of a model that can be deployed."
    )
    relative_threshold: float = Field(
        2.0, gt=1, description="The same, as a multiple of its perplexity at 32 bits."
    )
    results_dir: str | None = Field(
        None, description="Folder of <model>_quant_<precision>.json to draw instead."
    )
    simulate: bool = Field(
        False, description="Draw random numbers, marked as such, to work on the layout."
    )

    @model_validator(mode="after")
    def _agrees(self) -> "Robustness":
        if self.shown_line not in self.lines:
            raise ValueError(
                f"shown_line is {self.shown_line!r}, which is not one of the lines "
                f"{', '.join(self.lines)}"
            )
        if 32 not in self.bit_widths or len(set(self.bit_widths)) < len(self.bit_widths):
            raise ValueError(
                f"bit_widths: found {list(self.bit_widths)}; give every width once, and 32, which "
                "the others are compared with"
            )
        if self.simulate and self.results_dir:
            raise ValueError("simulate and results_dir exclude each other; remove one")
        return self
