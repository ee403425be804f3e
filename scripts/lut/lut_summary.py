from qatlas.config.lut import Lut
from qatlas.job import job
from qatlas.lut.summary import kinds_of, summarize
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table

with job(snakemake):
    settings = Lut(**snakemake.params.settings)
    tables = {k.name: read_whole_table(k, snakemake.input[k.name]) for k in kinds_of(settings)}
    write_summary(summarize(tables, settings), snakemake.output.summary)
