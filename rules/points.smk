from qatlas.codecs.registry import create as create_codec
from qatlas.config.study import codecs_of


def points_of(wildcards):
    """How a training is quantized: the first in every way, others as the robustness graph shows."""
    grids = study.function_grids()
    first = study.function.models[wildcards.language_model].seeds[0]
    if int(wildcards.seed) == first:
        return points_of_grids(grids, study.function.bits)
    if study.robustness is None:
        return []
    lines = {name: grids[name] for name in study.robustness.lines.values()}
    return points_of_grids(lines, study.robustness.bit_widths)


def points_of_grids(grids, bits=None):
    """Points of codec grids, all or those of some nominal rates."""
    points = [
        {"series": name, "codec": grid.codec, "parameters": point}
        for name, grid in grids.items()
        for point in grid.points()
    ]
    if bits is None:
        return points
    return [p for p in points if nominal_bits(p["codec"], p["parameters"]) in bits]


def named_points():
    """Points of the chapter by the name that files go by: the grid's, and the bits where many."""
    grids = study.function_grids().items()
    return {
        name if len(grid.points()) == 1 else f"{name}-{nominal_bits(grid.codec, point):g}bit": {
            "series": name,
            "codec": grid.codec,
            "parameters": point,
        }
        for name, grid in grids
        for point in grid.points()
    }


def nominal_bits(codec, parameters):
    return create_codec(codec, **parameters).nominal_bits


def sensitivity_points():
    section = study.function.sensitivity
    return points_of_grids({section.series: study.function_grids()[section.series]}, section.bits)


def codecs_of_function():
    """Modules of every codec that language models are quantized with."""
    return [*codecs_of_series(study.function_grids()), "codecs.families.cast"]


def codecs_of_series(series):
    """Modules of every codec of grids."""
    grids = study.function_grids() | study.codecs
    used = {codec for name in series for codec in codecs_of(grids[name])}
    return [f"codecs.families.{codec}" for codec in sorted(used)]
