from qatlas.job import job
from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.statistics import DENSITIES, STATISTICS

KINDS = {"manifests": MANIFEST, "statistics": STATISTICS, "densities": DENSITIES}

with job(snakemake):
    for name, kind in KINDS.items():
        write_table(read_table(kind, *snakemake.input[name]), kind, snakemake.output[name])
