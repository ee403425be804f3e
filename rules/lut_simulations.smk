"""Chained multiplication and dot products by look-up."""


rule lut_simulations:
    """Simulate all tables and methods over an ensemble."""
    input:
        code=code("lut/lut_simulations"),
    output:
        **lut_table_files(kind.name for kind in simulation_tables),
    log:
        "results/lut/tables/simulations.log",
    benchmark:
        "results/lut/tables/simulations.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    threads: 2
    resources:
        mem_mb=lut_simulations_memory_mb,
        runtime=60,
    params:
        settings=settings_of_simulations(),
        seed=study.seed,
    script:
        "../scripts/lut/lut_simulations.py"
