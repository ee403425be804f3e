from functools import partial

from qatlas.function.embeddings import evaluate_encoder
from qatlas.function.quantization import Point
from qatlas.function.schema import EMBEDDINGS
from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.encoder import held_out_sentences, open_encoder
from qatlas.tables import read_table, write_table

with job(snakemake):
    params = snakemake.params
    documents = read_table(DOCUMENTS, snakemake.input.documents)
    rows = evaluate_encoder(
        snakemake.wildcards.model,
        open_encoder(params.folder, params.pooling),
        tuple(params.keep),
        [Point(**point) for point in params.points],
        held_out_sentences(documents, params.part, params.sentences, params.seed),
        params.batch,
        params.seed,
        partial(progress, what="point"),
    )
    write_table(rows, EMBEDDINGS, snakemake.output.embeddings)
