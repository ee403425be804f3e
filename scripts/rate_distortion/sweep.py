from functools import partial

from qatlas.job import job, progress
from qatlas.rate_distortion.schema import MEASURED, TIMINGS
from qatlas.rate_distortion.sweep import sweep
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shards

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    parts = [Shard(**part) for part in snakemake.params.shards]
    matrices = open_shards(manifest, parts, partial(progress, what="tensor"))
    swept = sweep(
        matrices,
        snakemake.wildcards.family,
        snakemake.params.plan,
        snakemake.params.most_weights,
        snakemake.params.seed,
        snakemake.threads,
    )
    write_table(swept.measured, MEASURED, snakemake.output.measured)
    write_table(swept.timings, TIMINGS, snakemake.output.timings)
