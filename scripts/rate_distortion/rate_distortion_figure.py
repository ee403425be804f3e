from importlib import import_module

from qatlas.config.rate_distortion import RateDistortion
from qatlas.figure_files import save_figure
from qatlas.job import job
from qatlas.rate_distortion.figures import FIGURES
from qatlas.rate_distortion.schema import (
    ALLOCATION_TOTALS,
    ALLOCATIONS,
    BOUNDS,
    MEASUREMENTS,
    ROTATION,
)
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table

KINDS = {
    kind.name: kind for kind in (MEASUREMENTS, BOUNDS, ROTATION, ALLOCATIONS, ALLOCATION_TOTALS)
}

with job(snakemake):
    name = snakemake.wildcards.figure
    settings = RateDistortion(**snakemake.params.settings)
    figure = import_module(f"qatlas.rate_distortion.figures.{name}")
    tables = {t: read_whole_table(KINDS[t], snakemake.input[t]) for t in FIGURES[name]}
    drawn = figure.select(tables, settings)
    caption = figure.caption(read_summary(snakemake.input.summary), settings)
    save_figure(figure.draw(drawn), drawn, caption, snakemake.output.pdf, snakemake.params.formats)
