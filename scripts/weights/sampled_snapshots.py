from pathlib import Path

from qatlas.job import job
from qatlas.seeds import generator
from qatlas.weights.sources import sampled_matrix, write_sampled_snapshot

with job(snakemake):
    sources = snakemake.params.sources
    for (model, source), path in zip(sources.items(), snakemake.output.weights, strict=True):
        draws = generator(snakemake.params.seed, "weights", model)
        matrix = sampled_matrix(**source, generator=draws)
        write_sampled_snapshot(Path(path).parent, matrix)
