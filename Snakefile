from snakemake.utils import min_version

min_version("9.0")


# A study named on the command line stands for itself; it is not laid over the default one.
if not workflow.configfiles:

    configfile: "config.yaml"


# For `--sdm apptainer`; docs/cluster.md says how it is made.
container: "envs/qatlas.sif"


include: "rules/common.smk"
include: "rules/recovery.smk"
include: "rules/needs.smk"
include: "rules/figure_helpers.smk"
include: "rules/batches.smk"
include: "rules/weights.smk"
include: "rules/text.smk"
include: "rules/models.smk"
include: "rules/language_models.smk"
include: "rules/points.smk"
include: "rules/training.smk"
include: "rules/rate_distortion.smk"


for part in parts():

    include: f"rules/{part}.smk"


include: "rules/paper.smk"
include: "rules/paper_latex.smk"
include: "rules/paper_explorer.smk"
include: "rules/benchmarks.smk"
include: "rules/messages.smk"


rule all:
    """Every number, figure and summary of the study, and the paper."""
    default_target: True
    input:
        in_all_formats(all_figures()),
        list(summaries()),
        rules.lut.input if study.lut else [],
        "results/paper/latex",
        "results/provenance.json",
        "results/runtimes.csv",
        "results/paper/paper.pdf",
        "results/explorer/index.html",


rule figures:
    """Every figure."""
    input:
        in_all_formats(all_figures()),


rule summaries:
    """The summary of every chapter."""
    input:
        list(summaries()),


rule weights:
    """What is being quantized?"""
    input:
        in_all_formats(figures("weights")),
        "results/weights/summary.json",


rule rate_distortion:
    """How many bits does a given error cost, and how far is that from the limit?"""
    input:
        in_all_formats(figures("rate_distortion")),
        "results/rate_distortion/summary.json",


include: "rules/report.smk"
