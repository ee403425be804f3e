from qatlas.job import job
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.statistics import STATISTICS
from qatlas.weights.summary import summarize

with job(snakemake):
    manifests = read_whole_table(MANIFEST, snakemake.input.manifests)
    statistics = read_whole_table(STATISTICS, snakemake.input.statistics)
    write_summary(summarize(manifests, statistics), snakemake.output.summary)
