from importlib import import_module

from qatlas.config.lut import Lut
from qatlas.figure_files import save_figure
from qatlas.job import job
from qatlas.lut.figures import FIGURES
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table

with job(snakemake):
    name = snakemake.wildcards.figure
    settings = Lut(**snakemake.params.settings)
    figure = import_module(f"qatlas.lut.figures.{name}")
    tables = {
        kind.name: read_whole_table(kind, snakemake.input[kind.name]) for kind in FIGURES[name]
    }
    drawn = figure.select(tables, settings)
    caption = figure.caption(read_summary(snakemake.input.summary), settings)
    save_figure(figure.draw(drawn), drawn, caption, snakemake.output.pdf, snakemake.params.formats)
