from functools import partial

from qatlas.job import job, progress
from qatlas.rate_distortion.limits import limits
from qatlas.rate_distortion.schema import BOUNDS
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shards
from qatlas.weights.statistics import STATISTICS

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    statistics = read_table(STATISTICS, snakemake.input.statistics)
    entropies = statistics.set_index(["model", "tensor"]).differential_entropy_bits
    parts = [Shard(**part) for part in snakemake.params.shards]
    matrices = open_shards(manifest, parts, partial(progress, what="tensor"))
    rows = [
        row for matrix in matrices for row in limits(matrix, entropies[matrix.model, matrix.tensor])
    ]
    write_table(rows, BOUNDS, snakemake.output.bounds)
