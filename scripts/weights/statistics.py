from functools import partial

from qatlas.job import job, progress
from qatlas.tables import read_table, write_table
from qatlas.weights.describe import describe
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shards
from qatlas.weights.statistics import DENSITIES, STATISTICS

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    parts = [Shard(**part) for part in snakemake.params.shards]
    described = describe(open_shards(manifest, parts, partial(progress, what="tensor")))
    write_table(described.statistics, STATISTICS, snakemake.output.statistics)
    write_table(described.densities, DENSITIES, snakemake.output.densities)
