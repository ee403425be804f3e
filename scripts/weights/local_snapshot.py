from qatlas.job import job
from qatlas.weights.snapshot import link_snapshot, require_own_files

with job(snakemake):
    path = snakemake.params.path
    require_own_files(path, f"models.{snakemake.wildcards.model}.path")
    link_snapshot(path, snakemake.output.folder)
