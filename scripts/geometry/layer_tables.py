from qatlas.geometry.schema import LAYER_TABLES
from qatlas.job import job
from qatlas.tables import read_table, write_table

with job(snakemake):
    for kind in LAYER_TABLES:
        parts = snakemake.input[kind.name]
        paths = [parts] if isinstance(parts, str) else parts
        write_table(read_table(kind, *paths), kind, snakemake.output[kind.name])
