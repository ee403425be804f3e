"""Tidy parquet tables: one description per kind, checked at every write and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, make_again

type_names = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "truth": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column: its name (with its unit), type ("text", "integer", ...) and meaning."""

    name: str
    type: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of table: what a row is, its columns in order, and whether every study has rows."""

    name: str
    row: str
    columns: tuple[Column, ...]
    always_has_rows: bool = False

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema every file of this kind has."""
        return pa.schema([pa.field(c.name, type_names[c.type], c.nullable) for c in self.columns])


def write_table(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame, kind: Table, path: str | Path
) -> None:
    """Write rows as one parquet file, whole or not at all.

    Raises
    ------
    AtlasError
        If the columns are not those of the kind, a value has another type, or one is missing
        in a column that is not nullable.
    """
    frame = pd.DataFrame(rows, columns=None if len(rows) else kind.schema.names)
    if difference := sorted(set(kind.schema.names) ^ set(frame.columns)):
        raise AtlasError(f"table {kind.name}: the rows and the schema disagree on {difference}")
    try:
        table = pa.Table.from_pandas(frame, schema=kind.schema, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise AtlasError(f"table {kind.name}: {error}") from error
    with replacing(path) as unfinished:
        # Without the pandas metadata the bytes depend on the values alone.
        pq.write_table(table.replace_schema_metadata(None), unfinished, compression="zstd")


def write_csv(rows: pd.DataFrame, path: str | Path) -> None:
    """Write rows for reading and for spreadsheets, numbers to six digits, whole or not at all."""
    with replacing(path) as unfinished:
        rows.to_csv(unfinished, index=False, float_format="%.6g", lineterminator="\n")


def read_table(kind: Table, *paths: str | Path) -> pd.DataFrame:
    """Read parquet files of a kind, their rows in the order given; of no files there are none.

    Raises
    ------
    AtlasError
        If a file is not readable or was written with another schema.
    """
    parts = [kind.schema.empty_table(), *(_read(kind, Path(path)) for path in paths)]
    return pa.concat_tables(parts).to_pandas()


def read_whole_table(kind: Table, path: str | Path) -> pd.DataFrame:
    """Read the table of a chapter, as its summary and its figures do.

    Raises
    ------
    AtlasError
        As ``read_table``; and if the table has no rows, though its kind has some in every study.
    """
    rows = read_table(kind, path)
    if rows.empty and kind.always_has_rows:
        raise AtlasError(
            f"{path}: has no rows, so there is nothing to state or to draw; {make_again(path)}. If "
            "it has none again, nothing was measured: look whether warnings say that series were "
            "skipped"
        )
    return rows


def _read(kind: Table, path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise AtlasError(
            f"{path}: not a readable parquet file ({error}); {make_again(path)}"
        ) from error
    if table.schema != kind.schema:
        raise AtlasError(
            f"{path}: its columns are not those of a {kind.name} table, so another version "
            f"wrote it ({_difference(table.schema, kind.schema)}); {make_again(path)}"
        )
    return table


def _difference(found: pa.Schema, expected: pa.Schema) -> str:
    """What a schema lacks and has besides, in words."""
    lacks = [field.name for field in expected if field not in set(found)]
    besides = [field.name for field in found if field not in set(expected)]
    parts = [("not as expected", lacks), ("found", besides)]
    said = [f"{what}: {', '.join(names)}" for what, names in parts if names]
    return "; ".join(said) or "the order differs"
