"""What shape has the error in the layers of trained models?"""


wildcard_constraints:
    encoder=one_of(study.geometry.layers.encoders),
    read_model=one_of(study.geometry.layers.language_models),


rule encoder_layers:
    """Measure the errors in the layers of a sentence encoder."""
    input:
        weights=lambda wildcards: ancient(snapshot_path(wildcards.encoder)),
        checksums="results/weights/{encoder}/manifest.parquet",
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("geometry/encoder_layers", "codecs.families.uniform"),
    output:
        **layer_table_files("{encoder}"),
    log:
        "results/geometry/layers/{encoder}/encoder_layers.log",
    benchmark:
        "results/geometry/layers/{encoder}/encoder_layers.benchmark.tsv"
    priority: 1
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(60),
    params:
        folder=lambda wildcards: snapshot_folder(wildcards.encoder),
        pooling=lambda wildcards: study.function.encoders.pooling,
        keep=lambda wildcards: study.function.encoders.keep,
        settings=study.geometry.layers.model_dump(),
        seed=study.seed,
    script:
        "../scripts/geometry/encoder_layers.py"


rule language_model_layers:
    """Measure the errors in the layers of a language model."""
    input:
        weights=lambda wildcards: language_model_weights(read_training(wildcards)),
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("geometry/language_model_layers", "codecs.families.uniform"),
    output:
        **layer_table_files("{read_model}"),
    log:
        "results/geometry/layers/{read_model}/language_model_layers.log",
    benchmark:
        "results/geometry/layers/{read_model}/language_model_layers.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(60),
    params:
        folder=lambda wildcards: language_model_folder(read_training(wildcards)),
        keep=study.function.keep,
        context=study.text.context,
        settings=study.geometry.layers.model_dump(),
        seed=study.seed,
    script:
        "../scripts/geometry/language_model_layers.py"


rule layer_tables:
    """Join what was measured of the layers of every model."""
    input:
        **of_read_models(),
        code=code("geometry/layer_tables"),
    output:
        **geometry_table_files(LAYER_TABLES),
    log:
        "results/geometry/tables/layer_tables.log",
    benchmark:
        "results/geometry/tables/layer_tables.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/geometry/layer_tables.py"


use rule geometry_figures as layer_figures with:
    input:
        **geometry_drawn("layers"),
    output:
        **geometry_figure_files("layers"),
    log:
        "results/geometry/figures/layers.log",
    benchmark:
        "results/geometry/figures/layers.benchmark.tsv"
    params:
        names=list(GROUPS["layers"]),
        formats=study.figure_formats,
