from qatlas.function.schema import EVALUATIONS
from qatlas.job import job
from qatlas.lut.simulation.schema import TRAJECTORIES
from qatlas.paper.explorer.datasets import datasets
from qatlas.paper.explorer.page import page, write_page
from qatlas.paper.explorer.views import VIEWS
from qatlas.rate_distortion.schema import BOUNDS, MEASUREMENTS
from qatlas.tables import read_table

KINDS = (MEASUREMENTS, BOUNDS, EVALUATIONS, TRAJECTORIES)

with job(snakemake):
    paths = dict(snakemake.input.items())
    tables = {kind.name: read_table(kind, paths[kind.name]) for kind in KINDS if kind.name in paths}
    found = datasets(
        tables,
        measured=snakemake.params.measured,
        evaluated=snakemake.params.evaluated,
        simulated=snakemake.params.simulated,
        first_model=snakemake.params.first_model,
    )
    write_page(page(found, VIEWS), snakemake.output.page)
