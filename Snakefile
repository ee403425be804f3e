from snakemake.utils import min_version

min_version("9.0")


# A study named on the command line stands for itself; it is not laid over the default one.
if not workflow.configfiles:

    configfile: "config.yaml"


# For `--sdm apptainer`; docs/cluster.md says how it is made.
container: "envs/qatlas.sif"


include: "rules/common.smk"
include: "rules/needs.smk"
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
include: "rules/benchmarks.smk"


rule all:
    """Every number, figure and summary of the study."""
    default_target: True
    input:
        all_figures(),
        summaries(),
        rules.lut.input if study.lut else [],
        "results/provenance.json",
        "results/runtimes.csv",


rule figures:
    """Every figure."""
    input:
        all_figures(),


rule summaries:
    """The summary of every chapter."""
    input:
        summaries(),


rule weights:
    """What is being quantized?"""
    input:
        figures("weights"),
        "results/weights/summary.json",


rule rate_distortion:
    """How many bits does a given error cost, and how far is that from the limit?"""
    input:
        figures("rate_distortion"),
        "results/rate_distortion/summary.json",
