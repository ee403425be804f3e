"""The part of the chapter geometry that is drawn as animations."""

from typing import Literal

from pydantic import Field

from qatlas.config.section import Section


class Animations(Section):
    """Animations of the network of geometry.correction, for `snakemake animations`."""

    quality: Literal["low", "medium", "high"] = Field(
        "high", description="480 rows of pixels at 15 Hz, 720 at 30 Hz or 1080 at 60 Hz."
    )
    lines: int = Field(
        13, ge=2, le=101, description="Lines of the grid of inputs that are drawn, each way."
    )
    samples: int = Field(
        61, ge=2, le=1001, description="Inputs along each line; a quarter of those of the circle."
    )
