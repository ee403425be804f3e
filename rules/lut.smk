"""What if the multiplier itself is a lookup table?"""


include: "lut_helpers.smk"


if study.lut.operands:

    include: "lut_operands.smk"


if study.lut.language_models:

    include: "lut_models_helpers.smk"
    include: "lut_models.smk"


if study.lut.simulations:

    include: "lut_simulations.smk"


# The maps of the study are made together; any other can be asked for by its name.
ruleorder: lut_maps > lut_map


rule lut_maps:
    """Write the tables of all encodings and sizes as images, and check them."""
    input:
        code=code("lut/lut_maps"),
    output:
        map_files(),
    log:
        f"{MAPS}/maps.log",
    benchmark:
        f"{MAPS}/maps.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/lut/lut_maps.py"


rule lut_map:
    """Write one table that the study does not have as an image, and check it."""
    input:
        code=code("lut/lut_maps"),
    output:
        f"{MAPS}/{{bits}}bit/{{map}}.png",
    log:
        f"{MAPS}/{{bits}}bit/{{map}}.log",
    benchmark:
        f"{MAPS}/{{bits}}bit/{{map}}.benchmark.tsv"
    wildcard_constraints:
        bits=r"\d+",
        map=r"[^/]+",
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        asked=asked_map,
    script:
        "../scripts/lut/lut_maps.py"


rule lut_errors:
    """Measure what tables err by, their ranks, and how they look."""
    input:
        maps=map_files(),
        tables=list(study.lut.tables.values()),
        operands=operands_of_lut(),
        code=code("lut/lut_errors"),
    output:
        **lut_table_files(["map_errors", "map_ranks", "map_cells"]),
    log:
        "results/lut/tables/map_errors.log",
    benchmark:
        "results/lut/tables/map_errors.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=lut_errors_memory_mb,
        runtime=minutes(30),
    params:
        multipliers=study.lut.multipliers,
        tables=study.lut.tables,
        range=study.lut.range,
    script:
        "../scripts/lut/lut_errors.py"


rule lut_summary:
    """State what the chapter found."""
    input:
        **tables_of_lut_summary(),
        code=code("lut/lut_summary"),
    output:
        summary=ensure("results/lut/summary.json", non_empty=True),
    log:
        "results/lut/summary.log",
    benchmark:
        "results/lut/summary.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        settings=study.lut.model_dump(),
    script:
        "../scripts/lut/lut_summary.py"


rule lut_figure:
    """Draw one figure of the chapter."""
    input:
        unpack(tables_of_figure("lut")),
        summary="results/lut/summary.json",
        code=lambda wildcards: code("lut/lut_figure", f"lut.figures.{wildcards.figure}"),
    output:
        **figure_files("results/lut/figures/{figure}", "Lookup tables"),
    log:
        "results/lut/figures/{figure}.log",
    benchmark:
        "results/lut/figures/{figure}.benchmark.tsv"
    wildcard_constraints:
        figure=one_of(FIGURES["lut"]),
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        formats=study.figure_formats,
        settings=study.lut.model_dump(),
    script:
        "../scripts/lut/lut_figure.py"


rule lut:
    """Every figure of the chapter and what it found."""
    input:
        in_all_formats(figures("lut")),
        map_files(),
        in_all_formats(lut_plots_of_study()),
        "results/lut/summary.json",
