from qatlas.geometry.schema import TABLES
from qatlas.geometry.summary import summarize
from qatlas.job import job
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table

with job(snakemake):
    made = [kind for kind in TABLES if kind.name in snakemake.input.keys()]  # noqa: SIM118
    tables = {kind.name: read_whole_table(kind, snakemake.input[kind.name]) for kind in made}
    write_summary(summarize(tables), snakemake.output.summary)
