from importlib import import_module

from qatlas.figure_files import save_figure
from qatlas.geometry.figures import FIGURES
from qatlas.geometry.schema import TABLES
from qatlas.job import job, progress
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table

KINDS = {kind.name: kind for kind in TABLES}

with job(snakemake):
    summary = read_summary(snakemake.input.summary)
    formats = snakemake.params.formats
    for name in progress(snakemake.params.names, "figure"):
        figure = import_module(f"qatlas.geometry.figures.{name}")
        drawn = figure.select(
            {
                table: read_whole_table(KINDS[table], snakemake.input[table])
                for table in FIGURES[name]
            }
        )
        pdf = next(path for path in snakemake.output.pdf if path.endswith(f"/{name}.pdf"))
        save_figure(figure.draw(drawn), drawn, figure.caption(summary), pdf, formats)
