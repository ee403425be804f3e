from qatlas.config.robustness import Robustness
from qatlas.function.figures.robustness import caption, draw, select
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import settings_of
from qatlas.job import job
from qatlas.plotting import save_figure, save_vectors
from qatlas.summary import read_summary
from qatlas.tables import read_table

with job(snakemake):
    output = snakemake.output
    settings = settings_of(Robustness(**snakemake.params.settings))
    drawn = select({"robustness": read_table(ROBUSTNESS, snakemake.input.rows)}, settings)
    said = caption(read_summary(snakemake.input.summary), settings)
    save_figure(draw(drawn), drawn, said, output.pdf)
    save_vectors(draw(drawn), output.svg, output.eps)
