from qatlas.job import job
from qatlas.lut.schema import TABLE_MODELS
from qatlas.tables import read_table, write_table

with job(snakemake):
    rows = read_table(TABLE_MODELS, *snakemake.input.rows)
    write_table(rows, TABLE_MODELS, snakemake.output.table_models)
