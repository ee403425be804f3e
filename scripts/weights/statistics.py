from functools import partial

from qatlas.job import job, progress
from qatlas.tables import read_table, write_table
from qatlas.weights.describe import describe
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shard
from qatlas.weights.statistics import DENSITIES, STATISTICS

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    part = Shard(**snakemake.params.shard)
    described = describe(open_shard(manifest, part, partial(progress, what="tensor")))
    write_table(described.statistics, STATISTICS, snakemake.output.statistics)
    write_table(described.densities, DENSITIES, snakemake.output.densities)
