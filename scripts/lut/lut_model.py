from functools import partial

from qatlas.job import job, progress
from qatlas.lut.language_models.evaluation import Reading, Scaling, Subject, measure
from qatlas.lut.language_models.points import Point
from qatlas.lut.schema import TABLE_MODELS
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.reading import open_language_model, part_of_text
from qatlas.models.windows import Windows
from qatlas.tables import read_table, write_table

with job(snakemake):
    params, wildcards = snakemake.params, snakemake.wildcards
    settings = params.settings
    opened = open_language_model(params.folder)
    documents = read_table(DOCUMENTS, snakemake.input.documents)
    text = part_of_text(documents, settings["part"], opened.reader, settings["tokens"], params.seed)
    rows = measure(
        Subject(wildcards.language_model, int(wildcards.seed), opened.model, tuple(params.keep)),
        [Point(**point) for point in params.points],
        Scaling(settings["range"], settings["weight_scales"], settings["activation_scales"]),
        Reading(text, Windows(params.context, params.context), params.batch),
        params.seed,
        partial(progress, what="point"),
    )
    write_table(rows, TABLE_MODELS, snakemake.output.rows)
