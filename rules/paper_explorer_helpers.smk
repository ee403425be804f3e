def tables_of_explorer():
    """What the page shows, by the name of its kind: of the parts that the study has."""
    chapters = {"measurements": "rate_distortion", "bounds": "rate_distortion"}
    if study.function:
        chapters["evaluations"] = "function"
    if study.lut and study.lut.simulations:
        chapters["trajectories"] = "lut"
    return {name: f"results/{chapter}/tables/{name}.parquet" for name, chapter in chapters.items()}


def jobs_of_measurements():
    """The part of the measurements that each job wrote, by the job's log without results/."""
    parts = of_every_shard(
        "results/rate_distortion/sweep/{batch}/{family}/{shard}.parquet", family=FAMILIES
    )
    return {path.removeprefix("results/").removesuffix(".parquet"): path for path in parts}


def jobs_of_evaluations():
    """The part of the evaluations that each job wrote, likewise."""
    if not study.function:
        return {}
    jobs = {
        "evaluation": of_language_models(f"{EVALUATION}/evaluations.parquet"),
        "checkpoint": of_checkpoints("evaluations"),
    }
    return {
        str(Path(path).with_name(rule)).removeprefix("results/"): path
        for rule, paths in jobs.items()
        for path in paths
    }


def sources_of_explorer():
    """Style, script and frame of the page, which are no modules of Python."""
    folder = ROOT / "src/qatlas/paper/explorer/assets"
    return sorted(map(str, folder.glob("*")))
