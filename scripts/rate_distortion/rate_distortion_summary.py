from qatlas.config import RateDistortion
from qatlas.job import job
from qatlas.rate_distortion.schema import MEASUREMENTS
from qatlas.rate_distortion.summary import summarize
from qatlas.summary import write_summary
from qatlas.tables import read_table

with job(snakemake):
    summary = summarize(
        read_table(MEASUREMENTS, snakemake.input.measurements),
        RateDistortion(**snakemake.params.settings),
        snakemake.params.sampled,
        snakemake.params.configured,
    )
    write_summary(summary, snakemake.output.summary)
