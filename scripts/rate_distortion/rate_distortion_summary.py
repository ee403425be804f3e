from qatlas.config import RateDistortion
from qatlas.job import job
from qatlas.rate_distortion.schema import MEASUREMENTS
from qatlas.rate_distortion.summary import summarize
from qatlas.summary import write_summary
from qatlas.tables import read_table
from qatlas.weights.statistics import STATISTICS

with job(snakemake):
    summary = summarize(
        read_table(MEASUREMENTS, snakemake.input.measurements),
        RateDistortion(**snakemake.params.settings),
        snakemake.params.sampled,
        read_table(STATISTICS, snakemake.input.statistics),
    )
    write_summary(summary, snakemake.output.summary)
