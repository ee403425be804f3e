"""Pieces to put into an article of one's own."""


rule latex_kit:
    """Every figure, table and value for LaTeX, and an article that shows them all."""
    input:
        figures=all_figures(),
        captions=[str(Path(figure).with_suffix(".rst")) for figure in all_figures()],
        values="results/paper/values.json",
        tables="results/paper/tables.json",
        references=str(ROOT / "paper/references.bib"),
        code=code("paper/latex_kit"),
    output:
        kit=directory("results/paper/latex"),
    log:
        "results/paper/latex_kit.log",
    benchmark:
        "results/paper/latex_kit.benchmark.tsv"
    localrule: True
    conda:
        "../envs/atlas.yaml"
    script:
        "../scripts/paper/latex_kit.py"


rule latex:
    """Pieces to put into an article of one's own: results/paper/latex."""
    input:
        "results/paper/latex",
