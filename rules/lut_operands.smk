"""The operands that a language model's multiplications meet."""


rule lut_operands:
    """Count the activations and weights of a language model's linear layers."""
    input:
        weights=language_model_weights(lut_language_model()),
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("lut/lut_operands"),
    output:
        operands="results/lut/tables/operands.parquet",
    log:
        "results/lut/tables/operands.log",
    benchmark:
        "results/lut/tables/operands.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(60),
    params:
        model=study.lut.operands.model,
        folder=lambda wildcards: language_model_folder(lut_language_model()),
        keep=study.function.keep,
        part=study.lut.operands.part,
        tokens=study.lut.operands.tokens,
        context=study.text.context,
        batch=study.function.batch,
        seed=study.seed,
    script:
        "../scripts/lut/lut_operands.py"
