from functools import partial

from qatlas.job import job, progress
from qatlas.rate_distortion.limits import limits
from qatlas.rate_distortion.schema import BOUNDS
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shard
from qatlas.weights.statistics import STATISTICS

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    statistics = read_table(STATISTICS, snakemake.input.statistics).set_index("tensor")
    entropies = statistics.differential_entropy_bits
    part = Shard(**snakemake.params.shard)
    matrices = open_shard(manifest, part, partial(progress, what="tensor"))
    rows = [row for matrix in matrices for row in limits(matrix, entropies[matrix.tensor])]
    write_table(rows, BOUNDS, snakemake.output.bounds)
