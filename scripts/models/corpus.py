from functools import partial

from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS, docstring_corpus, manifest, write_manifest
from qatlas.models.hub_dataset import dataset_corpus
from qatlas.models.texts import file_corpus, parquet_corpus
from qatlas.tables import write_table

READERS = {
    "packages": partial(docstring_corpus, progress=partial(progress, what="package")),
    "file": file_corpus,
    "parquet": parquet_corpus,
    "dataset": dataset_corpus,
}

with job(snakemake):
    documents = READERS[snakemake.params.kind](**snakemake.params.text)
    write_table(documents, DOCUMENTS, snakemake.output.documents)
    write_manifest(manifest(documents), snakemake.output.manifest)
