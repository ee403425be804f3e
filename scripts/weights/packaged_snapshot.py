from pathlib import Path

from qatlas.job import job
from qatlas.weights.snapshot import link_snapshot
from qatlas.weights.sources import packaged_folder

with job(snakemake):
    source = packaged_folder(snakemake.params.package, snakemake.params.folder)
    link_snapshot(source, Path(snakemake.output.weights).parent)
