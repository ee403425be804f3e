from functools import partial

from numba import config, set_num_threads

from qatlas.config.lut import Lut
from qatlas.job import job, progress
from qatlas.lut.simulation.schema import TABLES
from qatlas.lut.simulation.study import simulate_study
from qatlas.tables import write_table

with job(snakemake):
    params, output = snakemake.params, snakemake.output
    set_num_threads(min(snakemake.threads, config.NUMBA_NUM_THREADS))
    settings = Lut(**params.settings)
    rows = simulate_study(settings, params.seed, partial(progress, what="table"))
    for kind in TABLES:
        write_table(getattr(rows, kind.name), kind, output[kind.name])
