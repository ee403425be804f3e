"""The part of the chapter geometry in which a ReLU network of two layers is corrected."""

from typing import Annotated

from pydantic import Field, model_validator

from qatlas.config.section import Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
Row = tuple[Finite, ...]


class Correction(Section):
    """A ReLU network from the plane to the plane, its weights on a grid."""

    bits: int = Field(
        4, ge=2, le=16, description="Of the weights, whose grid has the step 2^-(bits - 1)."
    )
    activation_bits: int = Field(
        4, ge=2, le=16, description="Of what layers are given, where that is rounded too."
    )
    weight_1: tuple[Row, ...] = Field(
        ((0.8, 0.3), (-0.2, 0.9)), min_length=1, description="A row of two a hidden unit."
    )
    bias_1: Row = Field((0.1, -0.05), description="One a hidden unit; biases are not rounded.")
    weight_2: tuple[Row, ...] = Field(
        ((0.7, -0.4), (0.5, 0.6)), description="Two rows, a column a hidden unit."
    )
    bias_2: Row = Field((0.0, 0.0), description="One an output.")
    extent: float = Field(
        3.0, gt=0, allow_inf_nan=False, description="Inputs lie in the square from -extent to it."
    )
    grid_side: int = Field(61, ge=8, le=501, description="Points of the grid along a side.")
    radius: float = Field(2.2, gt=0, allow_inf_nan=False, description="Of a circle of inputs.")
    circle_points: int = Field(512, ge=16, le=100_000, description="Points of the circle.")
    area_samples: int = Field(
        200_000,
        ge=100,
        le=10**7,
        description="Random inputs by which the changed area is checked.",
    )

    @model_validator(mode="after")
    def _shapes_fit(self) -> "Correction":
        units = len(self.weight_1)
        shapes = {
            "weight_1": (self.weight_1, units, 2),
            "weight_2": (self.weight_2, 2, units),
        }
        for key, (rows, height, width) in shapes.items():
            if len(rows) != height or any(len(row) != width for row in rows):
                raise ValueError(
                    f"{key}: found rows of {', '.join(str(len(row)) for row in rows)} numbers; "
                    f"with {units} hidden units it has {height} rows of {width}"
                )
        for key, found, expected in (
            ("bias_1", self.bias_1, units),
            ("bias_2", self.bias_2, 2),
        ):
            if len(found) != expected:
                raise ValueError(f"{key}: found {len(found)} numbers; there are {expected} units")
        return self
