from qatlas.job import job
from qatlas.paper.provenance import provenance, write_provenance

with job(snakemake):
    record = provenance(
        study=snakemake.params.study,
        commit=snakemake.params.commit,
        snapshots=snakemake.params.snapshots,
        text=next(iter(snakemake.input.text), None),
        lock=snakemake.input.lock,
    )
    write_provenance(record, snakemake.output.provenance)
