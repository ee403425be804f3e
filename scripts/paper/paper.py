from pathlib import Path

from qatlas.job import job
from qatlas.paper.figures import figures_in_order
from qatlas.paper.typesetting import typeset

with job(snakemake):
    inputs = snakemake.input
    data = {name: inputs[name] for name in ("values", "tables", "provenance")}
    typeset(
        Path(inputs.source[0]).parent, data, figures_in_order(inputs.figures), snakemake.output.pdf
    )
