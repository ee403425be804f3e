"""What of the error of a small ReLU network can be undone?"""


rule correction:
    """Round a small ReLU network and correct its error in every way."""
    input:
        code=code("geometry/correction"),
    output:
        **geometry_table_files(CORRECTION_TABLES),
    log:
        "results/geometry/tables/correction.log",
    benchmark:
        "results/geometry/tables/correction.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=plane_memory_mb,
        runtime=minutes(10),
    params:
        settings=study.geometry.correction.model_dump(),
        seed=study.seed,
    script:
        "../scripts/geometry/correction.py"


use rule geometry_figures as correction_figures with:
    input:
        **geometry_drawn("correction"),
    output:
        **geometry_figure_files("correction"),
    log:
        "results/geometry/figures/correction.log",
    benchmark:
        "results/geometry/figures/correction.benchmark.tsv"
    params:
        names=list(GROUPS["correction"]),
        formats=study.figure_formats,
