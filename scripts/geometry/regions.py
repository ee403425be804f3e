from qatlas.config.geometry import Geometry
from qatlas.geometry.experiments.tables import region_tables
from qatlas.geometry.schema import REGION_TABLES
from qatlas.job import job
from qatlas.tables import write_table

with job(snakemake):
    settings = Geometry(**snakemake.params.settings)
    found = region_tables(settings, snakemake.params.seed)
    for kind in REGION_TABLES:
        write_table(found[kind.name], kind, snakemake.output[kind.name])
