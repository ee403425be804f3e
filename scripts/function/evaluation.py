from functools import partial

from qatlas.function.calibration import read_moments
from qatlas.function.evaluation import Calibrated, evaluate_points, reading_of
from qatlas.function.quantization import Point
from qatlas.function.schema import EVALUATIONS, LAYERS, POSITIONS
from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.reading import open_language_model
from qatlas.tables import read_table, write_table

with job(snakemake):
    params, output = snakemake.params, snakemake.output
    opened = open_language_model(params.folder)
    evaluated = evaluate_points(
        Calibrated(
            snakemake.wildcards.language_model,
            int(snakemake.wildcards.seed),
            opened.model,
            tuple(params.keep),
            read_moments(snakemake.input.moments),
        ),
        [Point(**point) for point in params.points],
        reading_of(
            read_table(DOCUMENTS, snakemake.input.documents),
            opened.reader,
            **params.reading,
            seed=params.seed,
        ),
        params.seed,
        partial(progress, what="point"),
    )
    write_table(evaluated.evaluations, EVALUATIONS, output.evaluations)
    write_table(evaluated.positions, POSITIONS, output.positions)
    write_table(evaluated.layers, LAYERS, output.layers)
