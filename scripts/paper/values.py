from qatlas.config.loading import load
from qatlas.job import job
from qatlas.paper.tables.declared import kinds_of, tables_of
from qatlas.paper.tables.printed import render, write_rendered
from qatlas.paper.values import gather, write_values
from qatlas.summary import read_summary
from qatlas.tables import read_table

with job(snakemake):
    study = load(snakemake.params.study)
    summaries = {file: read_summary(file) for file in snakemake.input.summaries}
    frames = {
        name: read_table(kind, snakemake.input[name]) for name, kind in kinds_of(study).items()
    }
    write_values(gather(summaries, snakemake.params.made_by), snakemake.output["values"])
    write_rendered(
        [render(table, frames, study) for table in tables_of(study)], snakemake.output.tables
    )
