from pathlib import Path

from qatlas.job import job
from qatlas.paper.runtimes import runtimes, write_runtimes

with job(snakemake):
    results = Path(snakemake.output.runtimes).parent
    write_runtimes(runtimes(results), snakemake.output.runtimes)
