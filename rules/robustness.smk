"""Perplexity against precision: measured here, read from a folder, or made up for the layout."""

ROBUSTNESS = "results/function/robustness"
ROBUSTNESS_FORMATS = tuple(sorted({"svg", "eps", *study.figure_formats}))


rule robustness:
    """Perplexity by precision of every model, what can be deployed, and the checks."""
    input:
        unpack(robustness_source),
        code=code("function/robustness"),
    output:
        rows=ensure(f"{ROBUSTNESS}/robustness.parquet", non_empty=True),
        summary=ensure(f"{ROBUSTNESS}/summary.json", non_empty=True),
        text=ensure("results/function/robustness.txt", non_empty=True),
        interchange=directory(f"{ROBUSTNESS}/interchange"),
    log:
        f"{ROBUSTNESS}/robustness.log",
    benchmark:
        f"{ROBUSTNESS}/robustness.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        settings=study.robustness.model_dump(),
    script:
        "../scripts/function/robustness.py"


rule robustness_figure:
    """Draw the robustness graph."""
    input:
        rows=f"{ROBUSTNESS}/robustness.parquet",
        summary=f"{ROBUSTNESS}/summary.json",
        code=code("function/robustness_figure"),
    output:
        **figure_files(
            "results/function/figures/robustness", "Function", formats=ROBUSTNESS_FORMATS
        ),
    log:
        "results/function/figures/robustness.log",
    benchmark:
        "results/function/figures/robustness.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        formats=ROBUSTNESS_FORMATS,
        settings=study.robustness.model_dump(),
    script:
        "../scripts/function/robustness_figure.py"
