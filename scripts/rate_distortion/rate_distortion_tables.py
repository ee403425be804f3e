from qatlas.job import job
from qatlas.rate_distortion.gaps import with_gaps
from qatlas.rate_distortion.operating_points import at_rates
from qatlas.rate_distortion.schema import (
    BOUNDS,
    MEASURED,
    MEASUREMENTS,
    OPERATING_POINTS,
    ROTATION,
    SPEEDS,
    TARGET_DISTORTION,
    TIMINGS,
)
from qatlas.rate_distortion.speeds import speeds
from qatlas.rate_distortion.target_distortion import at_target_distortions
from qatlas.tables import read_table, write_csv, write_table

with job(snakemake):
    bounds = read_table(BOUNDS, *snakemake.input.bounds)
    timings = read_table(TIMINGS, *snakemake.input.timings)
    rotation = read_table(ROTATION, *snakemake.input.rotation)
    measurements = with_gaps(read_table(MEASURED, *snakemake.input.measured), bounds)
    targets = at_target_distortions(measurements, bounds)
    output = snakemake.output
    write_table(measurements, MEASUREMENTS, output.measurements)
    write_table(timings, TIMINGS, output.timings)
    write_table(bounds, BOUNDS, output.bounds)
    write_table(rotation, ROTATION, output.rotation)
    write_table(targets, TARGET_DISTORTION, output.target_distortion)
    write_table(at_rates(measurements), OPERATING_POINTS, output.operating_points)
    write_table(speeds(measurements, timings), SPEEDS, output.speeds)
    for kind, csv in zip(
        (TARGET_DISTORTION, OPERATING_POINTS, SPEEDS), output.readable, strict=True
    ):
        write_csv(read_table(kind, output[kind.name]), csv)
