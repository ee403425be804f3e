from pathlib import Path

from qatlas.job import job
from qatlas.seeds import generator
from qatlas.weights.sources import sampled_matrix, write_sampled_snapshot

with job(snakemake):
    draws = generator(snakemake.params.seed, "weights", snakemake.wildcards.model)
    matrix = sampled_matrix(**snakemake.params.source, generator=draws)
    write_sampled_snapshot(Path(snakemake.output.weights).parent, matrix)
