from qatlas.geometry.schema import LAYER_TABLES
from qatlas.job import job
from qatlas.tables import read_table, write_table

with job(snakemake):
    for kind in LAYER_TABLES:
        rows = read_table(kind, *snakemake.input[kind.name])
        write_table(rows, kind, snakemake.output[kind.name])
