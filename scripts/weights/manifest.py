from functools import partial

from qatlas.job import job, progress
from qatlas.requirements import Requirements, require_suitable_rows
from qatlas.tables import write_table
from qatlas.weights.manifest import MANIFEST, manifest
from qatlas.weights.rows import rows_of_matrices
from qatlas.weights.snapshot import open_snapshot

with job(snakemake):
    rows = []
    for model, folder in snakemake.params.folders.items():
        snapshot = open_snapshot(folder, model)
        if given := snakemake.config["held_against"].get(model):
            needs = [(key, Requirements(**need)) for key, need in given["needs"]]
            given_rows = rows_of_matrices(snapshot, given["include"], given["smallest"])
            require_suitable_rows(needs, given_rows)
        rows += manifest(snapshot, partial(progress, what="tensor"))
    write_table(rows, MANIFEST, snakemake.output.manifest)
