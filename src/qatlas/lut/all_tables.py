"""Every table of a study, from maps, formulas and the user's files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from qatlas.lut.error_report import NamedTable
from qatlas.lut.map_files import open_map
from qatlas.lut.multipliers import multiplier_table
from qatlas.lut.user_tables import read_user_table


def all_tables(
    maps: Sequence[str | Path],
    multipliers: Sequence[str],
    user_tables: Mapping[str, str],
    limit: float,
) -> Iterator[NamedTable]:
    """Open every table.

    Parameters
    ----------
    maps
        Files of encodings.
    multipliers
        Names.
    user_tables
        Files by name.
    limit
        R of the user's tables.

    Raises
    ------
    AtlasError
        If a file is not what it should be.
    """
    for path in maps:
        table = open_map(path)
        yield NamedTable(table.name, "encoding", table)
    for name in multipliers:
        yield NamedTable(name, "multiplier", multiplier_table(name))
    for name, path in user_tables.items():
        yield NamedTable(name, "user", read_user_table(name, path, limit))
