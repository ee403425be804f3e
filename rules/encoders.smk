"""Sentence encoders: what quantization does to their embeddings."""


rule embeddings:
    """Quantize a sentence encoder in many ways and compare its embeddings."""
    input:
        weights=lambda wildcards: ancient(snapshot_path(wildcards.model)),
        checksums="results/weights/{model}/manifest.parquet",
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/embeddings", *codecs_of_series(study.function.encoders.series)),
    output:
        embeddings="results/function/embeddings/{model}.parquet",
    log:
        "results/function/embeddings/{model}.log",
    benchmark:
        "results/function/embeddings/{model}.benchmark.tsv"
    wildcard_constraints:
        model=one_of(study.function.encoders.models),
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(120),
    params:
        folder=lambda wildcards: snapshot_folder(wildcards.model),
        pooling=study.function.encoders.pooling,
        keep=study.function.encoders.keep,
        points=points_of_grids(
            {name: study.codecs[name] for name in study.function.encoders.series},
            study.function.bits,
        ),
        sentences=study.function.encoders.sentences,
        part=study.function.part,
        batch=study.function.batch,
        seed=study.seed,
    script:
        "../scripts/function/embeddings.py"
