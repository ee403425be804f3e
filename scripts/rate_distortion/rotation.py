from functools import partial

from qatlas.job import job, progress
from qatlas.rate_distortion.rotation import kurtosis_by_rotation
from qatlas.rate_distortion.schema import ROTATION
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.matrices import Shard, open_shards

with job(snakemake):
    manifest = read_table(MANIFEST, snakemake.input.manifest)
    parts = [Shard(**part) for part in snakemake.params.shards]
    matrices = open_shards(manifest, parts, partial(progress, what="tensor"))
    write_table(list(map(kurtosis_by_rotation, matrices)), ROTATION, snakemake.output.rotation)
