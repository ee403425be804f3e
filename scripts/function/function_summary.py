from qatlas.function.schema import EMBEDDINGS, EVALUATIONS, LAYERS, SENSITIVITIES
from qatlas.function.summary import summarize
from qatlas.job import job
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table

KINDS = (EVALUATIONS, LAYERS, SENSITIVITIES, EMBEDDINGS)

with job(snakemake):
    tables = {kind.name: read_whole_table(kind, snakemake.input[kind.name]) for kind in KINDS}
    write_summary(summarize(tables, snakemake.params.seed), snakemake.output.summary)
