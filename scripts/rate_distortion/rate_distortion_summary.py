from qatlas.config import RateDistortion
from qatlas.job import job
from qatlas.rate_distortion.schema import ALLOCATION_TOTALS, MEASUREMENTS
from qatlas.rate_distortion.summary import summarize
from qatlas.summary import write_summary
from qatlas.tables import read_table

with job(snakemake):
    summary = summarize(
        read_table(MEASUREMENTS, snakemake.input.measurements),
        read_table(ALLOCATION_TOTALS, snakemake.input.allocation_totals),
        RateDistortion(**snakemake.params.settings),
        snakemake.params.sampled,
    )
    write_summary(summary, snakemake.output.summary)
