"""What does quantization do to a model's output?"""

EVALUATION = "results/function/evaluation/{language_model}-{seed}"


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
        moments="results/function/calibration/{language_model}-{seed}.npz",
    log:
        "results/function/calibration/{language_model}-{seed}.log",
    benchmark:
        "results/function/calibration/{language_model}-{seed}.benchmark.tsv"
    priority: first_training_first
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(120),
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
        moments="results/function/calibration/{language_model}-{seed}.npz",
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("function/evaluation", *codecs_of_function()),
    output:
        evaluations=f"{EVALUATION}/evaluations.parquet",
        positions=f"{EVALUATION}/positions.parquet",
        layers=f"{EVALUATION}/layers.parquet",
    log:
        f"{EVALUATION}/evaluation.log",
    benchmark:
        f"{EVALUATION}/evaluation.benchmark.tsv"
    priority: first_training_first
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=language_model_memory_mb,
        runtime=minutes(240),
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
        moments="results/function/calibration/{language_model}-{seed}.npz",
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
        runtime=minutes(240),
        gpu=gpus(study.function.device),
    params:
        folder=language_model_folder,
        keep=study.function.keep,
        points=sensitivity_points(),
        reading=reading(),
        seed=study.seed,
    script:
        "../scripts/function/sensitivity.py"


rule function_tables:
    """Join what the jobs of the chapter measured."""
    input:
        evaluations=[
            *of_language_models(f"{EVALUATION}/evaluations.parquet"),
            *of_checkpoints("evaluations"),
        ],
        positions=[
            *of_language_models(f"{EVALUATION}/positions.parquet"),
            *of_checkpoints("positions"),
        ],
        layers=[
            *of_language_models(f"{EVALUATION}/layers.parquet"),
            *of_checkpoints("layers"),
        ],
        sensitivities=of_language_models(
            "results/function/sensitivity/{language_model}-{seed}.parquet", first_only=True
        ),
        embeddings=embeddings_of_encoders(),
        losses=losses_of_language_models(),
        code=code("function/function_tables"),
    output:
        **table_files(table.name for table in TABLES),
    log:
        "results/function/tables/tables.log",
    benchmark:
        "results/function/tables/tables.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/function/function_tables.py"


rule function_summary:
    """State what the chapter found."""
    input:
        **table_files(["evaluations", "layers", "sensitivities", "embeddings"]),
        code=code("function/function_summary"),
    output:
        summary=ensure("results/function/summary.json", non_empty=True),
    log:
        "results/function/summary.log",
    benchmark:
        "results/function/summary.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        seed=study.seed,
    script:
        "../scripts/function/function_summary.py"


rule function_figure:
    """Draw one figure of the chapter."""
    input:
        unpack(tables_of_figure("function")),
        summary="results/function/summary.json",
        code=lambda wildcards: code(
            "function/function_figure", f"function.figures.{wildcards.figure}"
        ),
    output:
        **figure_files("results/function/figures/{figure}", "Function"),
    log:
        "results/function/figures/{figure}.log",
    benchmark:
        "results/function/figures/{figure}.benchmark.tsv"
    wildcard_constraints:
        figure=one_of(FIGURES["function"]),
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        formats=study.figure_formats,
        settings=study.function.model_dump(),
    script:
        "../scripts/function/function_figure.py"


rule function:
    """Every figure of the chapter and what it found."""
    input:
        in_all_formats(figures("function")),
        "results/function/summary.json",
