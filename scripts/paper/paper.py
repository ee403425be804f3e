from pathlib import Path

from qatlas.job import job
from qatlas.paper.figures import figures_in_order
from qatlas.paper.typesetting import typeset

with job(snakemake):
    inputs = snakemake.input
    data = {name: inputs[name] for name in ("values", "tables", "provenance")}
    figures = figures_in_order(inputs.figures)
    typeset(Path(inputs.main).parent, data, figures, snakemake.output.pdf)
