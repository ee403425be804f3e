from qatlas.job import job
from qatlas.paper.figures import figures_in_order
from qatlas.paper.latex.kit import write_kit
from qatlas.paper.tables.printed import read_rendered
from qatlas.paper.values import read_values

with job(snakemake):
    write_kit(
        figures_in_order(snakemake.input.figures),
        read_rendered(snakemake.input.tables),
        read_values(snakemake.input["values"]),
        snakemake.input.references,
        snakemake.output.kit,
    )
