"""Checkpoints that other tools quantized, beside the language models that they were made from."""

CHECKPOINT = "results/function/checkpoints/{checkpoint}"


wildcard_constraints:
    checkpoint=one_of(study.function.checkpoints),


use rule hub_snapshot as hub_checkpoint with:
    output:
        folder=directory(f"{CHECKPOINT}/snapshot"),
    log:
        f"{CHECKPOINT}/snapshot.log",
    wildcard_constraints:
        checkpoint=one_of(hub_checkpoints()),
    params:
        repository=lambda wildcards: study.function.checkpoints[wildcards.checkpoint].hub,
        revision=lambda wildcards: study.function.checkpoints[wildcards.checkpoint].revision,


rule checkpoint:
    """Compare a quantized checkpoint with the language model that it was made from."""
    input:
        checkpoint=checkpoint_files,
        weights=lambda wildcards: language_model_weights(base_of(wildcards)),
        moments=of_base("results/function/calibration/{language_model}-{seed}.npz"),
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/checkpoint"),
    output:
        evaluations=f"{CHECKPOINT}/evaluations.parquet",
        positions=f"{CHECKPOINT}/positions.parquet",
        layers=f"{CHECKPOINT}/layers.parquet",
    log:
        f"{CHECKPOINT}/checkpoint.log",
    benchmark:
        f"{CHECKPOINT}/checkpoint.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(120),
        gpu=gpus(study.function.device),
    params:
        folder=checkpoint_folder,
        base=lambda wildcards: vars(base_of(wildcards)),
        base_folder=lambda wildcards: language_model_folder(base_of(wildcards)),
        keep=study.function.keep,
        reading=reading(),
        seed=study.seed,
    script:
        "../scripts/function/checkpoint.py"
