"""All measurements, to look through in a browser."""


include: "paper_explorer_helpers.smk"


rule explorer:
    """Write one page that needs no network."""
    input:
        **tables_of_explorer(),
        jobs=[*jobs_of_measurements().values(), *jobs_of_evaluations().values()],
        sources=sources_of_explorer(),
        code=code("paper/explorer"),
    output:
        page=ensure("results/explorer/index.html", non_empty=True),
    log:
        "results/explorer/explorer.log",
    localrule: True
    conda:
        "../envs/atlas.yaml"
    params:
        measured=jobs_of_measurements(),
        evaluated=jobs_of_evaluations(),
        simulated="lut/tables/simulations",
        first_model=study.rate_distortion.example.model,
    script:
        "../scripts/paper/explorer.py"
