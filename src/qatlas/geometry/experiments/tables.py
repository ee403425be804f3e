"""Every table of regions."""

from qatlas.config.geometry import Geometry
from qatlas.geometry.experiments.circle import circle_outline_rows, circle_rows
from qatlas.geometry.experiments.measurements import (
    Row,
    axis_rows,
    layer_rows,
    outline_rows,
    principal_axis_rows,
    projection_rows,
    region_row,
)
from qatlas.geometry.experiments.named import experiments
from qatlas.geometry.grid import step_of


def region_tables(settings: Geometry, seed: int) -> dict[str, list[Row]]:
    """Rows of the tables of ``REGION_TABLES``, by the names of the tables."""
    made = experiments(settings)
    plane, step = settings.plane, step_of(settings.bits)
    return {
        "regions": [region_row(one, settings, seed) for one in made],
        "region_layers": [row for one in made for row in layer_rows(one)],
        "region_axes": [row for one in made for row in axis_rows(one)],
        "principal_axes": [row for one in made for row in principal_axis_rows(one)],
        "projections": [row for one in made for row in projection_rows(one)],
        "outlines": [
            *(row for one in made for row in outline_rows(one)),
            *circle_outline_rows(plane, step),
        ],
        "circle": list(circle_rows(settings, seed)),
    }
