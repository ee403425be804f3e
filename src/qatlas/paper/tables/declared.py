"""All printed tables in the order in which they are, and those of a study."""

from qatlas.config.study import Study
from qatlas.paper.tables import function, geometry, has, lut, rate_distortion, weights
from qatlas.paper.tables.printed import PrintedTable
from qatlas.tables import Table

TABLES: tuple[PrintedTable, ...] = (
    *weights.TABLES,
    *rate_distortion.TABLES,
    *function.TABLES,
    *lut.TABLES,
    *geometry.TABLES,
)


def tables_of(study: Study) -> list[PrintedTable]:
    """Printed tables of a study."""
    return [table for table in TABLES if has(study, table.section)]


def kinds_of(study: Study) -> dict[str, Table]:
    """What the files are that they read, by name."""
    return {kind.name: kind for table in tables_of(study) for kind in table.reads}
