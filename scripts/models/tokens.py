import os
from functools import partial

from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS, PARTS, write_manifest
from qatlas.models.tokenizer import load_tokenizer
from qatlas.models.tokens import describe, encode, require_one_context, write_tokens
from qatlas.tables import read_table

# The library's own threads, which Snakemake does not limit.
os.environ["RAYON_NUM_THREADS"] = str(snakemake.threads)

with job(snakemake):
    tokenizer = load_tokenizer(snakemake.input.tokenizer)
    documents = read_table(DOCUMENTS, snakemake.input.documents)
    described = {}
    for part in PARTS:
        texts = documents.loc[documents["part"] == part, "text"].tolist()
        tokens = encode(tokenizer, texts, partial(progress, what=f"{part}: batch"))
        require_one_context(tokens, snakemake.params.context, part)
        write_tokens(tokens, snakemake.output[part])
        described[part] = describe(tokens, tokenizer)
    write_manifest(described, snakemake.output.tokens)
