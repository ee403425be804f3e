from qatlas.job import job
from qatlas.weights.snapshot import link_snapshot
from qatlas.weights.sources import hub_folder

with job(snakemake):
    source = hub_folder(snakemake.params.repository, snakemake.params.revision)
    link_snapshot(source, snakemake.output.folder)
