from functools import partial

from qatlas.function.evaluation import evaluate_points
from qatlas.function.opening import open_calibrated
from qatlas.function.quantization import Point
from qatlas.function.schema import EVALUATIONS, LAYERS, POSITIONS
from qatlas.job import job, progress
from qatlas.tables import write_table

with job(snakemake):
    params, output = snakemake.params, snakemake.output
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
    evaluated = evaluate_points(calibrated, points, reading, params.seed, shown)
    write_table(evaluated.evaluations, EVALUATIONS, output.evaluations)
    write_table(evaluated.positions, POSITIONS, output.positions)
    write_table(evaluated.layers, LAYERS, output.layers)
