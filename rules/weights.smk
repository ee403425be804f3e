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


rule sampled_snapshot:
    """Draw a matrix of independent samples."""
    input:
        code=code("weights/sampled_snapshot"),
    output:
        weights=ensure("results/weights/{model}/snapshot/model.safetensors", non_empty=True),
    log:
        "results/weights/{model}/snapshot.log",
    wildcard_constraints:
        model=one_of(models(SampledModel)),
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=10,
    params:
        source=lambda wildcards: study.models[wildcards.model].model_dump(
            include={"distribution", "rows", "columns", "degrees_of_freedom"}
        ),
        seed=study.seed,
    script:
        "../scripts/weights/sampled_snapshot.py"


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
    """List every tensor of a checkpoint: what it is, its shape and its checksum."""
    input:
        snapshot=snapshot,
        code=code("weights/manifest"),
    output:
        manifest=ensure("results/weights/{model}/manifest.parquet", non_empty=True),
    log:
        "results/weights/{model}/manifest.log",
    benchmark:
        "results/weights/{model}/manifest.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=30,
    params:
        folder="results/weights/{model}/snapshot",
    script:
        "../scripts/weights/manifest.py"


rule statistics:
    """How the weights of one shard of a model's tensors are spread."""
    input:
        manifest="results/weights/{model}/manifest.parquet",
        snapshot=ancient(snapshot),
        code=code("weights/statistics"),
    output:
        statistics=ensure("results/weights/{model}/statistics/{shard}.parquet", non_empty=True),
        densities=ensure("results/weights/{model}/densities/{shard}.parquet", non_empty=True),
    log:
        "results/weights/{model}/statistics/{shard}.log",
    benchmark:
        "results/weights/{model}/statistics/{shard}.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=tensor_memory_mb,
        runtime=60,
    params:
        shard=shard_of,
    script:
        "../scripts/weights/statistics.py"


rule weights_tables:
    """Gather the shards of all models."""
    input:
        manifests=expand("results/weights/{model}/manifest.parquet", model=study.models),
        statistics=of_every_shard("results/weights/{model}/statistics/{shard}.parquet"),
        densities=of_every_shard("results/weights/{model}/densities/{shard}.parquet"),
        code=code("weights/weights_tables"),
    output:
        manifests=ensure("results/weights/tables/manifests.parquet", non_empty=True),
        statistics=ensure("results/weights/tables/statistics.parquet", non_empty=True),
        densities=ensure("results/weights/tables/densities.parquet", non_empty=True),
    log:
        "results/weights/tables/tables.log",
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
        pdf=ensure("results/weights/figures/{figure}.pdf", non_empty=True),
        png=report(
            "results/weights/figures/{figure}.png",
            caption="captions/figure.rst",
            category="Weights",
            labels={"figure": "{figure}"},
        ),
        drawn="results/weights/figures/{figure}.csv",
        caption="results/weights/figures/{figure}.rst",
    log:
        "results/weights/figures/{figure}.log",
    benchmark:
        "results/weights/figures/{figure}.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/weights/weights_figure.py"
