from qatlas.job import job
from qatlas.rate_distortion.gaps import with_gaps
from qatlas.rate_distortion.schema import BOUNDS, MEASURED, MEASUREMENTS, TIMINGS
from qatlas.tables import read_table, write_table

with job(snakemake):
    bounds = read_table(BOUNDS, *snakemake.input.bounds)
    measured = read_table(MEASURED, *snakemake.input.measured)
    timings = read_table(TIMINGS, *snakemake.input.timings)
    write_table(with_gaps(measured, bounds), MEASUREMENTS, snakemake.output.measurements)
    write_table(timings, TIMINGS, snakemake.output.timings)
    write_table(bounds, BOUNDS, snakemake.output.bounds)
