from qatlas.job import job
from qatlas.weights.snapshot import link_snapshot

with job(snakemake):
    link_snapshot(snakemake.params.path, snakemake.output.folder)
