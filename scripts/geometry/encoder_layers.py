from functools import partial

from qatlas.config.geometry_layers import Layers
from qatlas.geometry.layers.measure import measure
from qatlas.geometry.layers.reading import read_encoder
from qatlas.geometry.schema import LAYER_TABLES
from qatlas.job import job, progress
from qatlas.models.corpus import DOCUMENTS
from qatlas.tables import read_table, write_table

with job(snakemake):
    params = snakemake.params
    settings = Layers(**params.settings)
    read = read_encoder(
        snakemake.wildcards.encoder,
        params.folder,
        params.pooling,
        tuple(params.keep),
        read_table(DOCUMENTS, snakemake.input.documents),
        settings,
        params.seed,
    )
    found = measure(read, settings, params.seed, partial(progress, what="bit width"))
    for kind in LAYER_TABLES:
        write_table(found[kind.name], kind, snakemake.output[kind.name])
