from qatlas.job import job
from qatlas.weights.hub import hub_folder
from qatlas.weights.snapshot import link_snapshot, require_own_files

with job(snakemake):
    repository = snakemake.params.repository
    source = hub_folder(repository, snakemake.params.revision)
    require_own_files(source, f"model {repository}")
    link_snapshot(source, snakemake.output.folder)
