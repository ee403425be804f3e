"""What does quantization do to a model's output?"""


wildcard_constraints:
    language_model=one_of(study.function.models),
    seed=r"\d+",


rule calibration:
    """Gather how the inputs of a language model's layers vary."""
    input:
        weights=language_model_weights,
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/calibration"),
    output:
        moments="results/function/calibration/{language_model}-{seed}.safetensors",
    log:
        "results/function/calibration/{language_model}-{seed}.log",
    benchmark:
        "results/function/calibration/{language_model}-{seed}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=120,
        gpu=gpus(study.function.device),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        calibration=study.function.calibration.model_dump(),
        batch=study.function.batch,
        device=study.function.device,
        seed=study.seed,
    script:
        "../scripts/function/calibration.py"


rule evaluation:
    """Quantize a language model in many ways and compare it with itself."""
    input:
        weights=language_model_weights,
        moments="results/function/calibration/{language_model}-{seed}.safetensors",
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/evaluation", *codecs_of_function()),
    output:
        evaluations="results/function/evaluation/{language_model}-{seed}/evaluations.parquet",
        positions="results/function/evaluation/{language_model}-{seed}/positions.parquet",
        layers="results/function/evaluation/{language_model}-{seed}/layers.parquet",
    log:
        "results/function/evaluation/{language_model}-{seed}/evaluation.log",
    benchmark:
        "results/function/evaluation/{language_model}-{seed}/evaluation.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=240,
        gpu=gpus(study.function.device),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        points=points_of,
        reading=reading(),
        seed=study.seed,
    script:
        "../scripts/function/evaluation.py"


rule sensitivity:
    """Quantize one layer of a language model at a time."""
    input:
        weights=language_model_weights,
        moments="results/function/calibration/{language_model}-{seed}.safetensors",
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/sensitivity", *codecs_of_function()),
    output:
        sensitivities="results/function/sensitivity/{language_model}-{seed}.parquet",
    log:
        "results/function/sensitivity/{language_model}-{seed}.log",
    benchmark:
        "results/function/sensitivity/{language_model}-{seed}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=240,
        gpu=gpus(study.function.device),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        points=sensitivity_points(),
        reading=reading(),
        seed=study.seed,
    script:
        "../scripts/function/sensitivity.py"
