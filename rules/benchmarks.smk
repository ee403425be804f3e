"""How fast, and in how much memory, next to named alternatives?"""


rule benchmark:
    """Measure, alone on the machine."""
    input:
        code=benchmark_code,
    output:
        record=ensure("results/benchmarks/{name}.json", non_empty=True),
    log:
        "results/benchmarks/{name}.log",
    wildcard_constraints:
        name=one_of(BENCHMARKS),
    conda:
        "../envs/atlas.yaml"
    # A function, because a list of the rules can be asked for without --cores.
    threads: lambda wildcards: workflow.cores
    resources:
        mem_mb=memory_mb(12_000),
        runtime=minutes(60),
    params:
        python=sys.executable,
    shell:
        "trap 'rm -f {output.record}.unfinished' EXIT; "
        "{params.python:q} {input.code[0]:q} >{output.record}.unfinished 2>{log} && "
        "mv {output.record}.unfinished {output.record}"


rule benchmarks:
    """Every benchmark; a target that is missed is recorded as missed."""
    input:
        expand("results/benchmarks/{name}.json", name=BENCHMARKS),
