from qatlas.config.rate_distortion import Allocation
from qatlas.job import job
from qatlas.rate_distortion.allocation import allocate
from qatlas.rate_distortion.schema import ALLOCATION_TOTALS, ALLOCATIONS, MEASUREMENTS
from qatlas.tables import read_table, write_table

with job(snakemake):
    measurements = read_table(MEASUREMENTS, snakemake.input.measurements)
    settings = Allocation(**snakemake.params.settings)
    allocated = allocate(measurements, snakemake.params.models, settings)
    write_table(allocated.allocations, ALLOCATIONS, snakemake.output.allocations)
    write_table(allocated.totals, ALLOCATION_TOTALS, snakemake.output.totals)
