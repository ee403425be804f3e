from qatlas.codecs.peers import INSTALL, versions
from qatlas.codecs.registry import create
from qatlas.preflight import missing_packages
from qatlas.sharding import shard_count
from qatlas.weights.snapshot import snapshot_files
from snakemake.logging import logger

# Models that share their jobs, and codecs that can be measured here.
BATCHES = study.batches()
# Jobs that share a batch, its matrices dealt among them.
SHARDS = {batch: shard_count(names[0], study.models[names[0]]) for batch, names in BATCHES.items()}
MISSING = missing_packages(study)
FAMILIES = sorted({grid.codec for name, grid in study.codecs.items() if name not in MISSING})

if workflow.is_main_process:
    for series, packages in MISSING.items():
        logger.warning(
            f"series {series} is skipped, not measured: it runs {', '.join(packages)}, which is "
            f"not installed; install it ({INSTALL}) and run snakemake again"
        )


def sampled_sources():
    """What sampled models are drawn from, by their names."""
    keys = {"distribution", "rows", "columns", "degrees_of_freedom"}
    return {name: study.models[name].model_dump(include=keys) for name in models(SampledModel)}


def snapshot_path(model):
    """A model's checkpoint: the file if its name is known beforehand, else its folder.

    Jobs that read tensors take it as `ancient`: they depend on the manifest, which holds the
    checksums.
    """
    folder = snapshot_folder(model)
    known = isinstance(study.models[model], (PackagedModel, SampledModel))
    return f"{folder}/model.safetensors" if known else folder


def snapshot_folder(model):
    return f"results/weights/{model}/snapshot"


def snapshots(wildcards):
    """Checkpoints of a batch."""
    return [snapshot_path(model) for model in BATCHES[wildcards.batch]]


def snapshot_folders(wildcards):
    """Folder of each checkpoint of a batch, by the model's name."""
    return {model: snapshot_folder(model) for model in BATCHES[wildcards.batch]}


def shards_of(wildcards):
    """Which matrices of each of its models a job works on."""
    return [
        {
            "model": name,
            "folder": snapshot_folder(name),
            "include": study.models[name].include,
            "smallest": study.models[name].smallest,
            "index": int(wildcards.shard),
            "count": SHARDS[wildcards.batch],
        }
        for name in BATCHES[wildcards.batch]
    ]


def of_every_shard(pattern, **others):
    return [
        path
        for batch in BATCHES
        for path in expand(pattern, batch=batch, shard=range(SHARDS[batch]), **others)
    ]


def plan(wildcards):
    """The points of a codec that can be measured here, by the name of their grid."""
    return {n: grid for n, grid in study.plan(wildcards.family).items() if n not in MISSING}


def codec_modules(family):
    """Modules of a codec and of those that it wraps."""
    return [f"codecs.families.{codec}" for codec in study.codecs_in(family)]


def peers_of(wildcards):
    """Versions of the outside packages that a codec runs, so that it is measured anew with others."""
    points = [point for grid in plan(wildcards).values() for point in grid]
    return versions(create(wildcards.family, **point) for point in points)


wildcard_constraints:
    batch=one_of(BATCHES),
    family=one_of(FAMILIES),
