from functools import partial

from qatlas.job import job, progress
from qatlas.lut.operand_counts import rows_of_operands
from qatlas.lut.operands import count_operands
from qatlas.lut.schema import OPERANDS
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.layers import linear_layers
from qatlas.models.reading import open_language_model, part_of_text
from qatlas.models.windows import Windows, batches
from qatlas.tables import read_table, write_table

with job(snakemake):
    params = snakemake.params
    opened = open_language_model(params.folder)
    documents = read_table(DOCUMENTS, snakemake.input.documents)
    text = part_of_text(documents, params.part, opened.reader, params.tokens, params.seed)
    windows = Windows(params.context, params.context)
    counted = count_operands(
        opened.model,
        linear_layers(opened.model, params.keep),
        [batch.tokens for batch in batches(text.tokens, windows, params.batch)],
        partial(progress, what="pass"),
    )
    rows = rows_of_operands(params.model, list(counted))
    write_table(rows, OPERANDS, snakemake.output.operands)
