from qatlas.config.robustness import Robustness
from qatlas.figure_files import save_figure
from qatlas.function.figures.robustness import caption, draw, select
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import settings_of
from qatlas.job import job
from qatlas.summary import read_summary
from qatlas.tables import read_whole_table

with job(snakemake):
    settings = settings_of(Robustness(**snakemake.params.settings))
    drawn = select({"robustness": read_whole_table(ROBUSTNESS, snakemake.input.rows)}, settings)
    said = caption(read_summary(snakemake.input.summary), settings)
    save_figure(draw(drawn), drawn, said, snakemake.output.pdf, snakemake.params.formats)
