"""A table as it is printed: cells of text, so that every markup shows the same digits."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from qatlas.atomic import replacing
from qatlas.config.study import Study
from qatlas.errors import AtlasError, make_again
from qatlas.paper.digits import fixed, written
from qatlas.tables import Table

Frames = Mapping[str, pd.DataFrame]
"""Tables that were read, by the names of their kinds."""


@dataclass(frozen=True)
class Text:
    """A column of words; names of the configuration stand as they are written there.

    Attributes
    ----------
    name
        Column of what is selected.
    heading
        What stands above it.
    """

    name: str
    heading: str


@dataclass(frozen=True)
class Number:
    """A column of numbers.

    Attributes
    ----------
    name
        Column of what is selected.
    heading
        What stands above it.
    unit
        Stands beneath the heading; empty for plain numbers.
    decimals
        Digits after the point; None for as many as a number alone has.
    """

    name: str
    heading: str
    unit: str = ""
    decimals: int | None = None


@dataclass(frozen=True)
class PrintedTable:
    """One printed table.

    Attributes
    ----------
    name
        By which text refers to it.
    chapter
        That it belongs to.
    caption
        A sentence or two; says what a row is.
    place
        ``text`` beside what is said of it, or ``appendix``.
    section
        One of ``FILES``, without which there is no such table.
    reads
        Tables that it is read from.
    select
        Those tables and the configuration to one row a row, with the columns that are printed.
    columns
        In order.
    """

    name: str
    chapter: str
    caption: str
    place: Literal["text", "appendix"]
    section: tuple[str, ...]
    reads: tuple[Table, ...]
    select: Callable[[Frames, Study], pd.DataFrame]
    columns: tuple[Text | Number, ...]


@dataclass(frozen=True)
class Heading:
    """What stands above a column, and whether it holds digits."""

    heading: str
    unit: str
    kind: Literal["text", "number"]


@dataclass(frozen=True)
class Rendered:
    """A table in text: rows of cells, null where nothing was measured."""

    name: str
    chapter: str
    caption: str
    place: Literal["text", "appendix"]
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str | None, ...], ...]


def render(table: PrintedTable, frames: Frames, study: Study) -> Rendered:
    """Rows of cells of a table; none where a study has nothing that belongs in it."""
    rows = tuple(
        tuple(_cell(column, row[column.name]) for column in table.columns)
        for row in table.select(frames, study).to_dict("records")
    )
    headings = tuple(
        Heading(c.heading, c.unit, "number")
        if isinstance(c, Number)
        else Heading(c.heading, "", "text")
        for c in table.columns
    )
    return Rendered(table.name, table.chapter, table.caption, table.place, headings, rows)


def write_rendered(tables: Sequence[Rendered], path: str | Path) -> None:
    """Write tables as JSON, in their order."""
    content = [asdict(table) for table in tables]
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def read_rendered(path: str | Path) -> list[Rendered]:
    """Read tables that were written, in their order.

    Raises
    ------
    AtlasError
        If the file is not readable or another version wrote it; the message says how to remake it.
    """
    try:
        return TypeAdapter(list[Rendered]).validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise AtlasError(
            f"{path}: not the printed tables of this version; {make_again(path)}"
        ) from error


def _cell(column: Text | Number, found: Any) -> str | None:
    if pd.isna(found):
        return None
    if isinstance(column, Text):
        return str(found)
    if abs(found) == float("inf"):
        return "infinite"
    if column.decimals is None:
        return written(found)
    return fixed(found, column.decimals)
