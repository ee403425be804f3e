"""The chapter lut."""

from typing import Annotated

from pydantic import Field

from qatlas.config.section import Section


class Lut(Section):
    """The chapter lut."""

    range: float = Field(
        2.0, gt=0, allow_inf_nan=False, description="R: operands and products lie within -R and R."
    )
    sizes: tuple[Annotated[int, Field(ge=2, le=4096)], ...] = Field(
        (4, 8, 16, 32, 64, 128, 256, 512),
        min_length=1,
        description="Levels of the tables, 2 to the power of their bits.",
    )
