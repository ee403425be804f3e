from types import SimpleNamespace

from qatlas.config.function import FolderLanguageModel, HubCheckpoint
from qatlas.function.schema import TABLES


def gpus(device):
    """GPUs that a job on a device asks for."""
    return 0 if device == "cpu" else 1


def recipe(wildcards):
    """How an architecture is trained."""
    section = study.training
    shared = section.model_dump(exclude={"seeds", "learning_rates", "validation_tokens", "device"})
    return shared | {"learning_rate": section.learning_rates[wildcards.architecture]}


def trained_models():
    return expand(
        "results/models/trained/{architecture}-{seed}/model.safetensors",
        architecture=study.training.learning_rates,
        seed=study.training.seeds,
    )


def language_models():
    """Name and seed of every language model of the study."""
    described = study.function.models.items() if study.function else ()
    return [(name, seed) for name, model in described for seed in model.seeds]


def trainings():
    """Name and seed of every training, as wildcards have them."""
    return [SimpleNamespace(language_model=name, seed=seed) for name, seed in language_models()]


def all_language_model_weights():
    return [language_model_weights(training) for training in trainings()]


def language_model_folders():
    """Folder of every training and of every quantized checkpoint, by a name."""
    trained = {f"{t.language_model}-{t.seed}": language_model_folder(t) for t in trainings()}
    checkpoints = study.function.checkpoints if study.function else {}
    return trained | {name: kind.folder_of(name) for name, kind in checkpoints.items()}


def first_training_first(wildcards):
    """The training that is measured in every way takes longest, so that it should not run last."""
    first = study.function.models[wildcards.language_model].seeds[0]
    return int(int(wildcards.seed) == first)


def language_model_folder(wildcards):
    return study.function.models[wildcards.language_model].folder_of(int(wildcards.seed))


def language_model_weights(wildcards):
    """What a job that loads a language model waits for."""
    described = study.function.models[wildcards.language_model]
    if isinstance(described, FolderLanguageModel):
        return f"{language_model_folder(wildcards)}/model.safetensors"
    return snapshot_path(described.model)


def embeddings_of_encoders():
    encoders = study.function.encoders
    models = encoders.models if encoders else ()
    return [f"results/function/embeddings/{name}.parquet" for name in models]


def reading():
    """What language models are made to read."""
    section = study.function
    return {
        **section.model_dump(include={"part", "tokens", "batch", "device"}),
        "context": study.text.context,
    }


def losses_of_language_models():
    """How those were trained that are only in folders of their own, where that is told."""
    files = [
        f"{model.folder_of(seed)}/losses.parquet"
        for model in study.function.models.values()
        if isinstance(model, FolderLanguageModel)
        for seed in model.seeds
    ]
    trained = set(trained_models())
    return [
        f
        for f in files
        if Path(f).is_file() or f.replace("losses.parquet", "model.safetensors") in trained
    ]


def table_files(names):
    return {name: f"results/function/tables/{name}.parquet" for name in names}


def robustness_source(wildcards):
    """Files that the robustness graph is made from."""
    section = study.robustness
    if section.simulate:
        return {}
    if section.results_dir:
        return {"files": sorted(map(str, Path(section.results_dir).glob("*_quant_*.json")))}
    return {"evaluations": "results/function/tables/evaluations.parquet"}


def of_language_models(pattern, first_only=False):
    return [
        pattern.format(language_model=name, seed=seed)
        for name, seed in language_models()
        if not first_only or seed == study.function.models[name].seeds[0]
    ]


def base_of(wildcards):
    """The language model that a checkpoint was made from, as wildcards name it."""
    described = study.function.checkpoints[wildcards.checkpoint]
    return SimpleNamespace(language_model=described.base, seed=described.seed)


def of_base(pattern):
    """Input function: a file of the base of a checkpoint."""
    return lambda wildcards: pattern.format(**vars(base_of(wildcards)))


def checkpoint_folder(wildcards):
    described = study.function.checkpoints[wildcards.checkpoint]
    return described.folder_of(wildcards.checkpoint)


def checkpoint_files(wildcards):
    """What a job that reads a checkpoint waits for: its snapshot, or the files of its folder."""
    folder = checkpoint_folder(wildcards)
    if isinstance(study.function.checkpoints[wildcards.checkpoint], HubCheckpoint):
        return folder
    return sorted(map(str, [*Path(folder).glob("*.json"), *Path(folder).glob("*.safetensors")]))


def hub_checkpoints():
    described = study.function.checkpoints.items()
    return [name for name, kind in described if isinstance(kind, HubCheckpoint)]


def of_checkpoints(table):
    """Rows of a table that checkpoints have."""
    names = study.function.checkpoints
    return [f"results/function/checkpoints/{name}/{table}.parquet" for name in names]
