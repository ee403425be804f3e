from functools import partial

from qatlas.job import job, progress
from qatlas.tables import write_table
from qatlas.weights.manifest import MANIFEST, manifest
from qatlas.weights.snapshot import open_snapshot

with job(snakemake):
    snapshot = open_snapshot(snakemake.params.folder, snakemake.wildcards.model)
    rows = manifest(snapshot, partial(progress, what="tensor"))
    write_table(rows, MANIFEST, snakemake.output.manifest)
