from qatlas.config.rate_distortion import RateDistortion
from qatlas.job import job
from qatlas.rate_distortion.schema import (
    ALLOCATION_TOTALS,
    MEASUREMENTS,
    OPERATING_POINTS,
    ROTATION,
    TARGET_DISTORTION,
)
from qatlas.rate_distortion.summary import summarize
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table

KINDS = (MEASUREMENTS, OPERATING_POINTS, TARGET_DISTORTION, ROTATION, ALLOCATION_TOTALS)

with job(snakemake):
    summary = summarize(
        {kind.name: read_whole_table(kind, snakemake.input[kind.name]) for kind in KINDS},
        RateDistortion(**snakemake.params.settings),
        snakemake.params.sampled,
        snakemake.params.configured,
    )
    write_summary(summary, snakemake.output.summary)
