import os

from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.tokenizer import save_tokenizer, train_tokenizer
from qatlas.tables import read_table

# The library's own threads, which Snakemake does not limit.
os.environ["RAYON_NUM_THREADS"] = str(snakemake.threads)

with job(snakemake):
    documents = read_table(DOCUMENTS, snakemake.input.documents)
    training = documents[documents["part"] == "training"]
    by_source = {source: list(texts) for source, texts in training.groupby("source")["text"]}
    batches = (by_source[source] for source in progress(sorted(by_source), "source"))
    tokenizer = train_tokenizer(batches, snakemake.params.vocabulary)
    save_tokenizer(tokenizer, snakemake.output.tokenizer)
