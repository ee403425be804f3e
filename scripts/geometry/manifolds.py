from qatlas.config.geometry import Geometry
from qatlas.geometry.manifolds.tables import manifold_tables
from qatlas.geometry.schema import MANIFOLD_TABLES
from qatlas.job import job
from qatlas.tables import write_table

with job(snakemake):
    settings = Geometry(**snakemake.params.settings)
    found = manifold_tables(settings, snakemake.params.seed)
    for kind in MANIFOLD_TABLES:
        write_table(found[kind.name], kind, snakemake.output[kind.name])
