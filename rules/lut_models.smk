"""What does a language model predict when it multiplies by table?"""


rule lut_model:
    """Let a language model multiply by table in many ways and compare it with itself."""
    input:
        weights=language_model_weights,
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("lut/lut_model"),
    output:
        rows=f"{TABLE_MODEL}.parquet",
    log:
        f"{TABLE_MODEL}.log",
    benchmark:
        f"{TABLE_MODEL}.benchmark.tsv"
    wildcard_constraints:
        language_model=one_of(study.function.models),
        seed=r"\d+",
    # The model that is measured in every way takes longest, so that it should not run last.
    priority: lambda wildcards: int(is_first_table_model(wildcards))
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(60),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        points=points_of_table_model,
        settings=study.lut.language_models.model_dump(
            include={"range", "weight_scales", "activation_scales", "part", "tokens"}
        ),
        context=study.text.context,
        batch=study.function.batch,
        seed=study.seed,
    script:
        "../scripts/lut/lut_model.py"


rule lut_models_table:
    """Join what language models predicted by table."""
    input:
        rows=[TABLE_MODEL.format(**vars(model)) + ".parquet" for model in table_models()],
        code=code("lut/lut_models_table"),
    output:
        table_models="results/lut/tables/table_models.parquet",
    log:
        "results/lut/tables/table_models.log",
    benchmark:
        "results/lut/tables/table_models.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/lut/lut_models_table.py"
