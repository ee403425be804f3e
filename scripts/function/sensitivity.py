from functools import partial

from qatlas.function.calibration import read_moments
from qatlas.function.evaluation import Calibrated, reading_of
from qatlas.function.quantization import Point
from qatlas.function.schema import SENSITIVITIES
from qatlas.function.sensitivity import sensitivities
from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.reading import open_language_model
from qatlas.tables import read_table, write_table

with job(snakemake):
    params = snakemake.params
    opened = open_language_model(params.folder)
    rows = sensitivities(
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
    write_table(rows, SENSITIVITIES, snakemake.output.sensitivities)
