from importlib import import_module

from qatlas.figure_files import save_figure
from qatlas.job import job
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table
from qatlas.weights.figures import FIGURES
from qatlas.weights.statistics import DENSITIES, STATISTICS

KINDS = {kind.name: kind for kind in (STATISTICS, DENSITIES)}

with job(snakemake):
    name = snakemake.wildcards.figure
    figure = import_module(f"qatlas.weights.figures.{name}")
    drawn = figure.select(
        {t: read_whole_table(KINDS[t], snakemake.input[t]) for t in FIGURES[name]}
    )
    caption = figure.caption(read_summary(snakemake.input.summary))
    save_figure(figure.draw(drawn), drawn, caption, snakemake.output.pdf, snakemake.params.formats)
