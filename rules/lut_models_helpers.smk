from qatlas.lut.language_models.points import further_points, points_of_every_model

TABLE_MODEL = "results/lut/models/{language_model}-{seed}"


def table_models():
    """First trainings of the language models that multiply by table, as wildcards name them."""
    return [
        SimpleNamespace(language_model=name, seed=study.function.models[name].seeds[0])
        for name in study.lut.language_models.models
    ]


def is_first_table_model(wildcards):
    """Whether a language model is the one that is measured in every way."""
    return wildcards.language_model == study.lut.language_models.models[0]


def points_of_table_model(wildcards):
    settings = study.lut.language_models
    more = further_points(settings) if is_first_table_model(wildcards) else []
    return [asdict(point) for point in (*points_of_every_model(settings), *more)]
