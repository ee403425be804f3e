"""Whole language models as quantized, packed in one file each; made when they are asked for."""

EXPORT = "results/function/exports/{language_model}-{seed}/{point}"
POINTS = named_points()


wildcard_constraints:
    point=one_of(POINTS),


rule export:
    """Write a quantized language model as it is stored: packed codes, and all else as it was."""
    input:
        weights=language_model_weights,
        moments="results/function/calibration/{language_model}-{seed}.npz",
        code=lambda wildcards: code(
            "function/export", *codecs_of_series([POINTS[wildcards.point]["series"]])
        ),
    output:
        model=ensure(f"{EXPORT}.safetensors", non_empty=True),
        manifest=f"{EXPORT}.json",
    log:
        f"{EXPORT}.log",
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(120),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        point=lambda wildcards: POINTS[wildcards.point],
        seed=study.seed,
    script:
        "../scripts/function/export.py"
