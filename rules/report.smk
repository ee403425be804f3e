"""The report: figures and tables with their captions, rules, run times, configuration."""


report: "captions/workflow.rst"


include: "report_helpers.smk"


rule report_pages:
    """Write tables and texts as pages, since Snakemake's report shows figures and pages alone."""
    input:
        shown=[page.source for page in PAGES if page.source != CONFIGURATION],
        code=code("paper/report_pages"),
    output:
        pages=[in_report(page) for page in PAGES],
        config=CONFIGURATION,
    log:
        "results/report/pages.log",
    benchmark:
        "results/report/pages.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        study=study.model_dump(mode="json"),
    script:
        "../scripts/paper/report_pages.py"


rule report:
    """Every figure and table in one page that needs nothing else, by Snakemake itself."""
    input:
        rules.all.input,
        pages=rules.report_pages.output.pages,
        config=CONFIGURATION,
        code=[str(path) for path in sorted((ROOT / "rules/captions").glob("*.rst"))],
    output:
        report=ensure("results/report.html", non_empty=True),
    log:
        "results/report/report.log",
    benchmark:
        "results/report/report.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        python=sys.executable,
        snakefile=workflow.main_snakefile,
        unfinished="results/report/unfinished.html",
    # Another Snakemake, which reads what this one has recorded of the finished jobs.
    shell:
        "trap 'rm -f {params.unfinished:q}' EXIT; "
        "{params.python:q} -m snakemake --cores 1 --snakefile {params.snakefile:q} "
        "--configfile {input.config:q} --report {params.unfinished:q} "
        "-- all {input.pages:q} >{log} 2>&1 && mv {params.unfinished:q} {output.report:q}"
