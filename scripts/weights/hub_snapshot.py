from qatlas.job import job
from qatlas.weights.snapshot import link_snapshot, require_own_files
from qatlas.weights.sources import hub_folder

with job(snakemake):
    repository = snakemake.params.repository
    source = hub_folder(repository, snakemake.params.revision)
    require_own_files(source, f"model {repository}")
    link_snapshot(source, snakemake.output.folder)
