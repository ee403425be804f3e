"""What a chapter found, in one JSON file: named values and claims.

Everything printed downstream is taken from here by name.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, make_again, nearest

VERSION = 1
"""Version of the schema; another one's files are not read."""

Name = Annotated[str, Field(pattern=r"^[^\s.]+(\.[^\s.]+)*$")]
"""A dotted path, such as ``minilm.lloyd_max.4bit.nmse``."""


Numbers = tuple[float | None, ...] | tuple[tuple[float | None, ...], ...]
"""One number an axis, or a row of them a layer; null where one is not defined."""


class _Record(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True
    )


class Value(_Record):
    """A number, or several, with unit, interval and the table it was computed from."""

    value: float | int | str | Numbers | None = Field(description="null where it is not defined.")
    unit: str
    low: float | None = None
    high: float | None = None
    origin: str = Field(alias="from", description="Table that it was computed from.")


class Claim(_Record):
    """A sentence that the data bear out or not."""

    text: str
    holds: bool | Literal["not_measured"]
    value: float | None
    threshold: float
    origin: str = Field(alias="from", description="Table that it was judged by.")


class Summary(_Record):
    """All that a chapter found."""

    version: Literal[1] = Field(1, alias="schema")
    chapter: str
    source: Literal["measured", "simulated"] = "measured"
    values: dict[Name, Value]
    claims: dict[Name, Claim]

    def __getitem__(self, name: str) -> Value:
        """The value of that name.

        Raises
        ------
        AtlasError
            If there is none; the message names the nearest.
        """
        if name not in self.values:
            raise AtlasError(
                f"summary of {self.chapter}: no value {name!r}; {nearest(name, self.values)}"
            )
        return self.values[name]

    def written(self, name: str, form: str = "") -> str:
        """The value of that name as text, several separated by commas; or ``not measured``.

        Parameters
        ----------
        name
            Dotted path of the value.
        form
            How a number is formatted, such as ``.3f``.
        """
        value = self.values[name].value if name in self.values else None
        if isinstance(value, tuple):
            return ", ".join(format(part, form) for part in value)
        return "not measured" if value is None else format(value, form)


def claim(text: str, value: float | None, holds: bool, threshold: float, origin: str) -> Claim:
    """A claim judged by a measured value; ``not_measured`` where there is none."""
    measured = value is not None and not math.isnan(value)
    return Claim(
        text=text,
        holds=holds if measured else "not_measured",
        value=value if measured else None,
        threshold=threshold,
        origin=origin,
    )


def write_summary(summary: Summary, path: str | Path) -> None:
    """Write a summary as JSON with sorted keys."""
    import json

    content = json.loads(summary.model_dump_json())
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_summary(path: str | Path) -> Summary:
    """Read a summary, checked against its schema.

    Raises
    ------
    AtlasError
        If the file is not a summary of this version; the message says how to remake it.
    """
    import json

    try:
        content = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise AtlasError(f"{path}: not a readable summary ({error}); {make_again(path)}") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != VERSION:
        raise AtlasError(
            f"{path}: another version wrote this summary, its schema is {found!r} and should be "
            f"{VERSION}; {make_again(path)}"
        )
    try:
        return Summary.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise AtlasError(
            f"{path}: not a summary, {'.'.join(map(str, first['loc']))}: {first['msg']}; "
            f"{make_again(path)}"
        ) from error


def schema() -> Mapping[str, object]:
    """JSON Schema of a summary."""
    return Summary.model_json_schema()
