"""What do we print?"""

from qatlas.paper.tables import files_of


rule provenance:
    """Commit, configuration, versions, machine, and the checksums of what went in."""
    input:
        manifests=expand("results/weights/{batch}/manifest.parquet", batch=BATCHES),
        snapshots=ancient([snapshot_path(model) for model in study.models]),
        language_models=ancient(all_language_model_weights()),
        text=["results/models/text/manifest.json"] if study.function else [],
        lock=ROOT / "requirements.txt",
        code=code("paper/provenance"),
    output:
        provenance=ensure("results/provenance.json", non_empty=True),
    log:
        "results/provenance.log",
    benchmark:
        "results/provenance.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        study=study.model_dump(mode="json"),
        commit=commit(),
        snapshots={model: snapshot_folder(model) for model in study.models}
        | language_model_folders(),
    script:
        "../scripts/paper/provenance.py"


rule runtimes:
    """Wall time and peak memory of every job that made the results at hand."""
    input:
        "results/weights/tables/statistics.parquet",
        "results/rate_distortion/tables/measurements.parquet",
        all_figures(),
        code=code("paper/runtimes"),
    output:
        runtimes="results/runtimes.csv",
    log:
        "results/runtimes.log",
    benchmark:
        "results/runtimes.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/paper/runtimes.py"


rule values:
    """Every value, claim and table that is printed, each in the digits that it is printed with."""
    input:
        **files_of(study),
        summaries=list(summaries()),
        code=code("paper/values"),
    output:
        values=ensure("results/paper/values.json", non_empty=True),
        tables=ensure("results/paper/tables.json", non_empty=True),
    log:
        "results/paper/values.log",
    benchmark:
        "results/paper/values.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        study=study.model_dump(mode="json"),
        made_by=summaries(),
    script:
        "../scripts/paper/values.py"


rule paper:
    """The paper: what the chapters found, in the words that this study bears out."""
    input:
        main=ROOT / "paper" / "main.typ",
        source=sorted(str(file) for file in (ROOT / "paper").rglob("*") if file.is_file()),
        values="results/paper/values.json",
        tables="results/paper/tables.json",
        provenance="results/provenance.json",
        figures=all_figures(),
        captions=[str(Path(figure).with_suffix(".rst")) for figure in all_figures()],
        code=code("paper/paper"),
    output:
        pdf=report(
            ensure("results/paper/paper.pdf", non_empty=True),
            caption="captions/paper.rst",
            category="Paper",
            labels={"document": "paper"},
        ),
    log:
        "results/paper/paper.log",
    benchmark:
        "results/paper/paper.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/paper/paper.py"


rule recorded_run:
    """Record what the jobs of this run took, for the first run on another machine to go by."""
    input:
        runtimes="results/runtimes.csv",
        provenance="results/provenance.json",
        code=code("paper/recorded_run"),
    output:
        record=ensure(RECORDED_RUN, non_empty=True),
    log:
        "results/recorded_run.log",
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/paper/recorded_run.py"
