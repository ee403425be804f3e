"""What shape is the error, and how does it travel through layers?"""


include: "geometry_helpers.smk"


rule regions:
    """Compute the sets of errors of rounded layers and hold drawn weights against them."""
    input:
        code=code("geometry/regions"),
    output:
        **geometry_table_files(REGION_TABLES),
    log:
        "results/geometry/tables/regions.log",
    benchmark:
        "results/geometry/tables/regions.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=plane_memory_mb,
        runtime=minutes(10),
    params:
        settings=study.geometry.model_dump(include={"bits", "draws", "plane", "space"}),
        seed=study.seed,
    script:
        "../scripts/geometry/regions.py"


rule manifolds:
    """Measure the errors of sets of inputs: at most, as they are, and of integer inference."""
    input:
        code=code("geometry/manifolds"),
    output:
        **geometry_table_files(MANIFOLD_TABLES),
    log:
        "results/geometry/tables/manifolds.log",
    benchmark:
        "results/geometry/tables/manifolds.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=plane_memory_mb,
        runtime=minutes(10),
    params:
        settings=study.geometry.model_dump(
            include={"bits", "draws", "plane", "space", "manifolds", "fake_quantization"}
        ),
        seed=study.seed,
    script:
        "../scripts/geometry/manifolds.py"


rule geometry_summary:
    """State what the chapter found."""
    input:
        **geometry_table_files(TABLES_OF_STUDY),
        code=code("geometry/geometry_summary"),
    output:
        summary=ensure("results/geometry/summary.json", non_empty=True),
    log:
        "results/geometry/summary.log",
    benchmark:
        "results/geometry/summary.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/geometry/geometry_summary.py"


rule geometry_figures:
    """Draw the figures of regions of errors."""
    input:
        **geometry_drawn("regions"),
    output:
        **geometry_figure_files("regions"),
    log:
        "results/geometry/figures/regions.log",
    benchmark:
        "results/geometry/figures/regions.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        names=list(GROUPS["regions"]),
        formats=study.figure_formats,
    script:
        "../scripts/geometry/geometry_figures.py"


use rule geometry_figures as manifold_figures with:
    input:
        **geometry_drawn("manifolds"),
    output:
        **geometry_figure_files("manifolds"),
    log:
        "results/geometry/figures/manifolds.log",
    benchmark:
        "results/geometry/figures/manifolds.benchmark.tsv"
    params:
        names=list(GROUPS["manifolds"]),
        formats=study.figure_formats,


include: "geometry_correction.smk"
include: "geometry_animations.smk"


if study.geometry.layers:

    include: "geometry_layers.smk"


rule geometry:
    """Every figure of the chapter and what it found."""
    input:
        in_all_formats(figures("geometry")),
        "results/geometry/summary.json",
