"""Chained multiplication and dot products by look-up."""


# The plots of the study are drawn together; any other can be asked for by its name.
ruleorder: lut_plots > lut_plot
ruleorder: lut_plots_of_steps > lut_plot


rule lut_simulations:
    """Simulate all tables and methods over an ensemble."""
    input:
        code=code("lut/lut_simulations"),
    output:
        **lut_table_files(["simulations", "trajectories", "examples", "growth"]),
    log:
        "results/lut/tables/simulations.log",
    benchmark:
        "results/lut/tables/simulations.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    threads: 2
    resources:
        mem_mb=lut_simulations_memory_mb,
        runtime=minutes(60),
    params:
        settings=settings_of_simulations(),
        seed=study.seed,
    script:
        "../scripts/lut/lut_simulations.py"


rule lut_plots:
    """Draw the chosen variants: a trajectory and the ensemble's errors."""
    input:
        **lut_table_files(["examples", "trajectories"]),
        code=code("lut/lut_plots"),
    output:
        **simulation_plots(),
    log:
        "results/lut/figures/plots.log",
    benchmark:
        "results/lut/figures/plots.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        settings=study.lut.model_dump(),
        formats=study.figure_formats,
    script:
        "../scripts/lut/lut_plots.py"


rule lut_plots_of_steps:
    """Draw the chosen variants up to fewer steps."""
    input:
        **lut_table_files(["examples", "trajectories"]),
        code=code("lut/lut_plots"),
    output:
        **simulation_plots(study.lut.simulations.batch),
    log:
        "results/lut/figures/plots_of_steps.log",
    benchmark:
        "results/lut/figures/plots_of_steps.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        settings=study.lut.model_dump(),
        formats=study.figure_formats,
    script:
        "../scripts/lut/lut_plots.py"


rule lut_plot:
    """Draw one variant that was asked for by name."""
    input:
        **lut_table_files(["examples", "trajectories"]),
        code=code("lut/lut_plots"),
    output:
        **figure_paths("results/lut/figures/{folder}/{plot}", study.figure_formats),
    log:
        "results/lut/figures/{folder}/{plot}.log",
    benchmark:
        "results/lut/figures/{folder}/{plot}.benchmark.tsv"
    wildcard_constraints:
        folder=r"(\d+_steps/)?\d+bit",
        plot=r"(chain|dot)_plot_\w+",
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        settings=settings_of_asked_plot,
        formats=study.figure_formats,
    script:
        "../scripts/lut/lut_plots.py"


rule lut_examples:
    """Copy the plots of one number of steps to the examples, replacing what is there."""
    input:
        plots=plots_of_example,
        code=code("lut/lut_examples"),
    output:
        examples=directory("examples/lut/{steps}_steps"),
    log:
        "results/lut/figures/examples_{steps}.log",
    wildcard_constraints:
        steps=one_of(map(str, study.lut.simulations.batch)),
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        folder="examples/lut/{steps}_steps",
    script:
        "../scripts/lut/lut_examples.py"


rule examples:
    """The latest plots of the batch of steps, as examples."""
    input:
        expand("examples/lut/{steps}_steps", steps=study.lut.simulations.batch),
