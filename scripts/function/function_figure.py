from importlib import import_module

from qatlas.config.function import Function
from qatlas.figure_files import save_figure
from qatlas.function.figures import FIGURES
from qatlas.function.schema import TABLES
from qatlas.job import job
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table

KINDS = {kind.name: kind for kind in TABLES}

with job(snakemake):
    name = snakemake.wildcards.figure
    settings = Function(**snakemake.params.settings)
    figure = import_module(f"qatlas.function.figures.{name}")
    tables = {t: read_whole_table(KINDS[t], snakemake.input[t]) for t in FIGURES[name]}
    drawn = figure.select(tables, settings)
    caption = figure.caption(read_summary(snakemake.input.summary), settings)
    save_figure(figure.draw(drawn), drawn, caption, snakemake.output.pdf, snakemake.params.formats)
