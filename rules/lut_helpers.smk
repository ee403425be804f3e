from qatlas.lut.map_files import set_aside_damaged
from qatlas.lut.map_names import MAPS, map_names, parse_map_name
from qatlas.lut.summary import kinds_of
from qatlas.lut.user_tables import read_user_table
from snakemake.logging import logger

if workflow.is_main_process:
    for said in set_aside_damaged(MAPS):
        logger.warning(said)
    try:
        for name, path in study.lut.tables.items():
            read_user_table(name, path, study.lut.range)
    except AtlasError as error:
        raise WorkflowError(str(error))


def map_files():
    """Maps of the study."""
    section = study.lut
    names = map_names(section.encodings, section.sizes, section.range)
    return [f"{MAPS}/{name.path}" for name in names]


def asked_map(wildcards):
    """Parameter function: the place of a map that was asked for by name."""
    try:
        return [parse_map_name(f"{wildcards.bits}bit/{wildcards.map}.png").path]
    except AtlasError as error:
        raise WorkflowError(str(error))


def lut_table_files(names):
    return {name: f"results/lut/tables/{name}.parquet" for name in names}


def tables_of_lut_summary():
    return lut_table_files(kind.name for kind in kinds_of(study.lut))


def operands_of_lut():
    """What models multiply, if the study asks for it."""
    return ["results/lut/tables/operands.parquet"] if study.lut.operands else []


def lut_language_model():
    """First training of the language model whose operands are counted, as wildcards name it."""
    name = study.lut.operands.model
    return SimpleNamespace(language_model=name, seed=study.function.models[name].seeds[0])


def lut_errors_memory_mb(wildcards, input, attempt):
    """Room for some twenty numbers for every pair of the largest table."""
    return attempt * (1000 + 160 * max(study.lut.sizes) ** 2 // 10**6)
