from functools import partial

from qatlas.function.calibration import gather, write_moments
from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.layers import linear_layers
from qatlas.models.reading import open_language_model, part_of_text
from qatlas.tables import read_table

with job(snakemake):
    params = snakemake.params
    calibration = params.calibration
    opened = open_language_model(params.folder)
    text = part_of_text(
        read_table(DOCUMENTS, snakemake.input.documents),
        calibration["part"],
        opened.reader,
        calibration["sequences"] * calibration["length"],
        params.seed,
    )
    moments = gather(
        opened.model,
        linear_layers(opened.model, params.keep),
        text.tokens.reshape(calibration["sequences"], calibration["length"]),
        params.batch,
        params.device,
        calibration["memory_mb"] << 20,
        partial(progress, what="layers of a pass"),
    )
    write_moments(moments, snakemake.output.moments)
