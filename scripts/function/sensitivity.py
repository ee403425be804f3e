from functools import partial

from qatlas.function.opening import open_calibrated
from qatlas.function.quantization import Point
from qatlas.function.schema import SENSITIVITIES
from qatlas.function.sensitivity import sensitivities
from qatlas.job import job, progress
from qatlas.tables import write_table

with job(snakemake):
    params = snakemake.params
    calibrated, reading = open_calibrated(
        snakemake.wildcards.language_model,
        int(snakemake.wildcards.seed),
        params.folder,
        tuple(params.keep),
        snakemake.input.moments,
        snakemake.input.documents,
        params.reading,
        params.seed,
    )
    points = [Point(**point) for point in params.points]
    shown = partial(progress, what="point")
    rows = sensitivities(calibrated, points, reading, params.seed, shown)
    write_table(rows, SENSITIVITIES, snakemake.output.sensitivities)
