from qatlas.config.geometry_correction import Correction
from qatlas.geometry.correction.measure import measure
from qatlas.geometry.schema import CORRECTION_TABLES
from qatlas.job import job
from qatlas.tables import write_table

with job(snakemake):
    found = measure(Correction(**snakemake.params.settings), snakemake.params.seed)
    for kind in CORRECTION_TABLES:
        write_table(found[kind.name], kind, snakemake.output[kind.name])
