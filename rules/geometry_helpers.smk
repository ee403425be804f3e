from types import SimpleNamespace

from qatlas.geometry.figures import GROUPS
from qatlas.geometry.schema import CORRECTION_TABLES, LAYER_TABLES, MANIFOLD_TABLES, REGION_TABLES

# Without models there is nothing to say about layers.
TABLES_OF_STUDY = [
    *REGION_TABLES,
    *MANIFOLD_TABLES,
    *CORRECTION_TABLES,
    *(LAYER_TABLES if study.geometry.layers else ()),
]


def geometry_table_files(kinds):
    """Paths of tables of the chapter, by their names."""
    return {kind.name: f"results/geometry/tables/{kind.name}.parquet" for kind in kinds}


def geometry_drawn(group):
    """What the job that draws a group of figures reads: its tables, the summary, its code."""
    tables = {table for reads in GROUPS[group].values() for table in reads}
    return {
        **{table: f"results/geometry/tables/{table}.parquet" for table in sorted(tables)},
        "summary": "results/geometry/summary.json",
        "code": code(
            "geometry/geometry_figures", *(f"geometry.figures.{name}" for name in GROUPS[group])
        ),
    }


def geometry_figure_files(group):
    """What that job writes."""
    return together(
        [
            figure_of_several(f"results/geometry/figures/{name}", "Geometry")
            for name in GROUPS[group]
        ]
    )


def layer_table_files(model):
    """Paths of the tables of the layers of one model."""
    return {
        kind.name: f"results/geometry/layers/{model}/{kind.name}.parquet" for kind in LAYER_TABLES
    }


def of_read_models():
    """Those of all models, by the tables' names."""
    section = study.geometry.layers
    files = [layer_table_files(m) for m in (*section.encoders, *section.language_models)]
    return {kind.name: [paths[kind.name] for paths in files] for kind in LAYER_TABLES}


def read_training(wildcards):
    """The first training of the language model whose layers are measured, as wildcards name it."""
    name = wildcards.read_model
    return SimpleNamespace(language_model=name, seed=study.function.models[name].seeds[0])
