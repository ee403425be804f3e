"""How many bits does a given error cost, and how far is that from the limit?"""


rule bounds:
    """The limits of one shard of a batch."""
    input:
        manifest="results/weights/{batch}/manifest.parquet",
        statistics="results/weights/{batch}/statistics/{shard}.parquet",
        snapshots=ancient(snapshots),
        code=code("rate_distortion/bounds"),
    output:
        bounds=ensure("results/rate_distortion/bounds/{batch}/{shard}.parquet", non_empty=True),
    log:
        "results/rate_distortion/bounds/{batch}/{shard}.log",
    benchmark:
        "results/rate_distortion/bounds/{batch}/{shard}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(60),
    params:
        shards=shards_of,
    script:
        "../scripts/rate_distortion/bounds.py"


rule sweep:
    """Rate and distortion of one codec on one shard of a batch."""
    input:
        manifest="results/weights/{batch}/manifest.parquet",
        snapshots=ancient(snapshots),
        code=lambda wildcards: code("rate_distortion/sweep", *codec_modules(wildcards.family)),
    output:
        measured=ensure(
            "results/rate_distortion/sweep/{batch}/{family}/{shard}.parquet",
            non_empty=True,
        ),
        timings=ensure(
            "results/rate_distortion/sweep/{batch}/{family}/{shard}.timings.parquet",
            non_empty=True,
        ),
    log:
        "results/rate_distortion/sweep/{batch}/{family}/{shard}.log",
    benchmark:
        "results/rate_distortion/sweep/{batch}/{family}/{shard}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(60),
    params:
        shards=shards_of,
        plan=plan,
        most_weights=lambda wildcards: study.most_weights(wildcards.family),
        peers=peers_of,
        seed=study.seed,
    script:
        "../scripts/rate_distortion/sweep.py"


rule rotation:
    """What a rotation does to the distribution of the weights of one shard."""
    input:
        manifest="results/weights/{batch}/manifest.parquet",
        snapshots=ancient(snapshots),
        code=code("rate_distortion/rotation"),
    output:
        rotation=ensure("results/rate_distortion/rotation/{batch}/{shard}.parquet", non_empty=True),
    log:
        "results/rate_distortion/rotation/{batch}/{shard}.log",
    benchmark:
        "results/rate_distortion/rotation/{batch}/{shard}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(60),
    params:
        shards=shards_of,
    script:
        "../scripts/rate_distortion/rotation.py"


rule rate_distortion_tables:
    """Gather the shards of all batches and codecs, with the distance of each point to its limits."""
    input:
        measured=of_every_shard(
            "results/rate_distortion/sweep/{batch}/{family}/{shard}.parquet",
            family=FAMILIES,
        ),
        timings=of_every_shard(
            "results/rate_distortion/sweep/{batch}/{family}/{shard}.timings.parquet",
            family=FAMILIES,
        ),
        bounds=of_every_shard("results/rate_distortion/bounds/{batch}/{shard}.parquet"),
        rotation=of_every_shard("results/rate_distortion/rotation/{batch}/{shard}.parquet"),
        code=code("rate_distortion/rate_distortion_tables"),
    output:
        measurements=ensure("results/rate_distortion/tables/measurements.parquet", non_empty=True),
        timings=ensure("results/rate_distortion/tables/timings.parquet", non_empty=True),
        bounds=ensure("results/rate_distortion/tables/bounds.parquet", non_empty=True),
        rotation=ensure("results/rate_distortion/tables/rotation.parquet", non_empty=True),
        target_distortion=ensure(
            "results/rate_distortion/tables/target_distortion.parquet", non_empty=True
        ),
        operating_points=ensure(
            "results/rate_distortion/tables/operating_points.parquet", non_empty=True
        ),
        speeds=ensure("results/rate_distortion/tables/speeds.parquet", non_empty=True),
        readable=expand(
            "results/rate_distortion/tables/{table}.csv",
            table=["target_distortion", "operating_points", "speeds"],
        ),
    log:
        "results/rate_distortion/tables/tables.log",
    benchmark:
        "results/rate_distortion/tables/tables.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/rate_distortion/rate_distortion_tables.py"


rule allocation:
    """A codec for every tensor of a model, chosen from the measured points within each budget."""
    input:
        measurements="results/rate_distortion/tables/measurements.parquet",
        code=code("rate_distortion/allocation"),
    output:
        allocations=ensure("results/rate_distortion/tables/allocations.parquet", non_empty=True),
        totals=ensure("results/rate_distortion/tables/allocation_totals.parquet", non_empty=True),
    log:
        "results/rate_distortion/tables/allocation.log",
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        models=study.rate_distortion.allocated_models(),
        settings=study.rate_distortion.allocation.model_dump(),
    script:
        "../scripts/rate_distortion/allocation.py"


rule rate_distortion_summary:
    """What the chapter found."""
    input:
        measurements="results/rate_distortion/tables/measurements.parquet",
        operating_points="results/rate_distortion/tables/operating_points.parquet",
        target_distortion="results/rate_distortion/tables/target_distortion.parquet",
        rotation="results/rate_distortion/tables/rotation.parquet",
        allocation_totals="results/rate_distortion/tables/allocation_totals.parquet",
        code=code("rate_distortion/rate_distortion_summary"),
    output:
        summary=ensure("results/rate_distortion/summary.json", non_empty=True),
    log:
        "results/rate_distortion/summary.log",
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        settings=study.rate_distortion.model_dump(),
        sampled=models(SampledModel),
        configured=list(study.codecs),
    script:
        "../scripts/rate_distortion/rate_distortion_summary.py"


rule rate_distortion_figure:
    """Draw one figure of the chapter."""
    input:
        unpack(tables_of_figure("rate_distortion")),
        summary="results/rate_distortion/summary.json",
        code=lambda wildcards: code(
            "rate_distortion/rate_distortion_figure",
            f"rate_distortion.figures.{wildcards.figure}",
        ),
    output:
        **figure_files("results/rate_distortion/figures/{figure}", "Rate and distortion"),
    log:
        "results/rate_distortion/figures/{figure}.log",
    benchmark:
        "results/rate_distortion/figures/{figure}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        formats=study.figure_formats,
        settings=study.rate_distortion.model_dump(),
    script:
        "../scripts/rate_distortion/rate_distortion_figure.py"
