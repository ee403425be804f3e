from qatlas.geometry.figures import GROUPS
from qatlas.geometry.schema import MANIFOLD_TABLES, REGION_TABLES


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
    """What that job writes: of each figure the PDF, its preview, what is drawn and the caption."""
    stems = [f"results/geometry/figures/{name}" for name in GROUPS[group]]
    return {
        "pdf": ensure([f"{stem}.pdf" for stem in stems], non_empty=True),
        "png": [previewed(stem) for stem in stems],
        "drawn": [f"{stem}.csv" for stem in stems],
        "caption": [f"{stem}.rst" for stem in stems],
    }


def previewed(stem):
    """Preview of a figure, as the report shows it."""
    return report(
        f"{stem}.png",
        caption="captions/figure.rst",
        category="Geometry",
        labels={"figure": Path(stem).name},
    )
