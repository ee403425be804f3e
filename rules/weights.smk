"""What is being quantized? Checkpoints, what their tensors are, and how their weights are spread."""


rule packaged_snapshot:
    """Link a checkpoint that an installed package carries."""
    input:
        code=code("weights/packaged_snapshot"),
    output:
        weights=ensure(
            "results/weights/{model}/snapshot/model.safetensors",
            sha256=lambda wildcards: study.models[wildcards.model].sha256,
        ),
    log:
        "results/weights/{model}/snapshot.log",
    wildcard_constraints:
        model=one_of(models(PackagedModel)),
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        package=lambda wildcards: study.models[wildcards.model].package,
        folder=lambda wildcards: study.models[wildcards.model].folder,
    script:
        "../scripts/weights/packaged_snapshot.py"


rule sampled_snapshots:
    """Draw matrices of independent samples, one for each sampled model."""
    input:
        code=code("weights/sampled_snapshots"),
    output:
        weights=ensure([snapshot_path(model) for model in models(SampledModel)], non_empty=True),
    log:
        "results/weights/_sampled/snapshots.log",
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(10),
    params:
        sources=sampled_sources(),
        seed=study.seed,
    script:
        "../scripts/weights/sampled_snapshots.py"


rule local_snapshot:
    """Link a snapshot folder of this machine."""
    input:
        code=code("weights/local_snapshot"),
    output:
        folder=directory("results/weights/{model}/snapshot"),
    log:
        "results/weights/{model}/snapshot.log",
    wildcard_constraints:
        model=one_of(models(LocalModel)),
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        path=lambda wildcards: study.models[wildcards.model].path,
        # A file that was missing is linked once it is there.
        files=lambda wildcards: snapshot_files(study.models[wildcards.model].path),
    script:
        "../scripts/weights/local_snapshot.py"


rule hub_snapshot:
    """Fetch a model of the Hugging Face hub into its cache, and link it."""
    input:
        code=code("weights/hub_snapshot"),
    output:
        folder=directory("results/weights/{model}/snapshot"),
    log:
        "results/weights/{model}/snapshot.log",
    wildcard_constraints:
        model=one_of(models(HubModel)),
    retries: 2
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        repository=lambda wildcards: study.models[wildcards.model].hub,
        revision=lambda wildcards: study.models[wildcards.model].revision,
    script:
        "../scripts/weights/hub_snapshot.py"


rule manifest:
    """List every tensor of a batch of checkpoints: what it is, its shape and its checksum."""
    input:
        snapshots=snapshots,
        code=code("weights/manifest"),
    output:
        manifest=ensure("results/weights/{batch}/manifest.parquet", non_empty=True),
    log:
        "results/weights/{batch}/manifest.log",
    benchmark:
        "results/weights/{batch}/manifest.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(30),
    params:
        folders=snapshot_folders,
    script:
        "../scripts/weights/manifest.py"


rule statistics:
    """How the weights of one shard of a batch are spread."""
    input:
        manifest="results/weights/{batch}/manifest.parquet",
        snapshots=ancient(snapshots),
        code=code("weights/statistics"),
    output:
        statistics=ensure("results/weights/{batch}/statistics/{shard}.parquet", non_empty=True),
        densities=ensure("results/weights/{batch}/densities/{shard}.parquet", non_empty=True),
    log:
        "results/weights/{batch}/statistics/{shard}.log",
    benchmark:
        "results/weights/{batch}/statistics/{shard}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=minutes(60),
    params:
        shards=shards_of,
    script:
        "../scripts/weights/statistics.py"


rule weights_tables:
    """Gather the shards of all batches."""
    input:
        manifests=expand("results/weights/{batch}/manifest.parquet", batch=BATCHES),
        statistics=of_every_shard("results/weights/{batch}/statistics/{shard}.parquet"),
        densities=of_every_shard("results/weights/{batch}/densities/{shard}.parquet"),
        code=code("weights/weights_tables"),
    output:
        manifests=ensure("results/weights/tables/manifests.parquet", non_empty=True),
        statistics=ensure("results/weights/tables/statistics.parquet", non_empty=True),
        densities=ensure("results/weights/tables/densities.parquet", non_empty=True),
    log:
        "results/weights/tables/tables.log",
    benchmark:
        "results/weights/tables/tables.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/weights/weights_tables.py"


rule weights_summary:
    """What the chapter found."""
    input:
        manifests="results/weights/tables/manifests.parquet",
        statistics="results/weights/tables/statistics.parquet",
        code=code("weights/weights_summary"),
    output:
        summary=ensure("results/weights/summary.json", non_empty=True),
    log:
        "results/weights/summary.log",
    benchmark:
        "results/weights/summary.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/weights/weights_summary.py"


rule weights_figure:
    """Draw one figure of the chapter."""
    input:
        unpack(tables_of_figure("weights")),
        summary="results/weights/summary.json",
        code=lambda wildcards: code("weights/weights_figure", f"weights.figures.{wildcards.figure}"),
    output:
        **figure_files("results/weights/figures/{figure}", "Weights"),
    log:
        "results/weights/figures/{figure}.log",
    benchmark:
        "results/weights/figures/{figure}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        **of_tables,
    params:
        formats=study.figure_formats,
    script:
        "../scripts/weights/weights_figure.py"
