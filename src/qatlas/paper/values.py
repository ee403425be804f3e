"""Every value and claim of a study under one name, as it is printed.

Whatever is printed takes its numbers from here: the digits, the unit and the interval are decided
once, and a text that asks for a name which is not there can be told which rule makes it.
"""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.paper.digits import written
from qatlas.summary import Claim, Summary, Value

Written = str | None | tuple[str | None, ...] | tuple[tuple[str | None, ...], ...]
"""Digits or a word; several, or rows of several; null for what has no value."""

NOT_MEASURED = "not measured"
_NO_UNIT = "1"


class _Record(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True
    )


class Origin(_Record):
    """A summary: its chapter, the rule that makes it, and whether its numbers are simulated."""

    chapter: str
    rule: str
    source: Literal["measured", "simulated"]


class PrintedValue(_Record):
    """One value in parts, so that every markup writes the same digits."""

    kind: Literal["number", "word", "list", "not_measured"]
    written: Written = Field(description="Digits such as 0.0174 or 2.38e11, a word, or several.")
    unit: str = Field(description="Empty for plain numbers; of a word, what it names.")
    low: str | None = Field(None, description="Digits of the interval's lower end.")
    high: str | None = None
    text: str = Field(description="All of it as plain text.")
    summary: str = Field(description="The file that it is taken from.")


class PrintedClaim(_Record):
    """One claim, the number that it was judged by, and the threshold."""

    text: str
    holds: bool | Literal["not_measured"]
    value: str | None
    threshold: str
    summary: str


class Values(_Record):
    """All that a study found, by names that begin with the chapter."""

    version: Literal[1] = Field(1, alias="schema")
    summaries: dict[str, Origin]
    values: dict[str, PrintedValue]
    claims: dict[str, PrintedClaim]


def gather(summaries: Mapping[str, Summary], rules: Mapping[str, str]) -> Values:
    """Values and claims of all summaries of a study.

    Parameters
    ----------
    summaries
        By file.
    rules
        The rule that makes each file.

    Raises
    ------
    AtlasError
        If two summaries of a chapter have a name in common.
    """
    values: dict[str, PrintedValue] = {}
    claims: dict[str, PrintedClaim] = {}
    for file, summary in summaries.items():
        of_values = {
            f"{summary.chapter}.{name}": _print_value(value, file)
            for name, value in summary.values.items()
        }
        of_claims = {
            f"{summary.chapter}.{name}": _print_claim(claim, file)
            for name, claim in summary.claims.items()
        }
        if twice := sorted({*values} & {*of_values} | {*claims} & {*of_claims}):
            raise AtlasError(
                f"{file}: another summary of the chapter {summary.chapter} has {twice[0]} too; "
                "rename a model, a grid or a line in the configuration"
            )
        values |= of_values
        claims |= of_claims
    origins = {
        file: Origin(chapter=summary.chapter, rule=rules[file], source=summary.source)
        for file, summary in summaries.items()
    }
    return Values(summaries=origins, values=values, claims=claims)


def write_values(values: Values, path: str | Path) -> None:
    """Write them as JSON with sorted keys."""
    content = json.loads(values.model_dump_json())
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def read_values(path: str | Path) -> Values:
    """Read them, checked against their schema.

    Raises
    ------
    AtlasError
        If the file is not readable or another version wrote it; the message says how to remake it.
    """
    try:
        return Values.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise AtlasError(
            f"{path}: not the values of this version ({error}); delete it and run "
            f"`snakemake {path}`"
        ) from error


def _print_value(value: Value, summary: str) -> PrintedValue:
    found = value.value
    if found is None or (isinstance(found, float) and not isfinite(found)):
        return PrintedValue(
            kind="not_measured", written=None, unit="", text=NOT_MEASURED, summary=summary
        )
    if isinstance(found, str):
        return PrintedValue(
            kind="word", written=found, unit=value.unit, text=found, summary=summary
        )
    unit = _unit(value.unit)
    if isinstance(found, tuple):
        digits = tuple(map(_digits, found))
        parts = [_text(part) for part in digits]
        return PrintedValue(
            kind="list",
            written=digits,
            unit=unit,
            text=f"{', '.join(parts)} {unit}".rstrip(),
            summary=summary,
        )
    return _print_number(found, unit, value.low, value.high, summary)


def _print_number(
    found: float, unit: str, low: float | None, high: float | None, summary: str
) -> PrintedValue:
    known = low is not None and high is not None and isfinite(low) and isfinite(high)
    spread = (high - low) / 2 if known and low is not None and high is not None else 0.0
    digits = written(found, spread)
    ends = [written(end, spread) if known and end is not None else None for end in (low, high)]
    interval = f" ({ends[0]} to {ends[1]})" if known else ""
    return PrintedValue(
        kind="number",
        written=digits,
        unit=unit,
        low=ends[0],
        high=ends[1],
        text=f"{digits} {unit}".rstrip() + interval,
        summary=summary,
    )


def _print_claim(claim: Claim, summary: str) -> PrintedClaim:
    return PrintedClaim(
        text=claim.text,
        holds=claim.holds,
        value=None if claim.value is None else written(claim.value),
        threshold=f"{claim.threshold:g}",
        summary=summary,
    )


def _unit(unit: str) -> str:
    """The unit of a number without what it is a median of, or by."""
    short = unit.partition(",")[0]
    return "" if short == _NO_UNIT else short


def _digits(part: float | tuple[float | None, ...] | None) -> str | tuple[str | None, ...] | None:
    if isinstance(part, tuple):
        return tuple(None if one is None else written(one) for one in part)
    return None if part is None else written(part)


def _text(part: str | tuple[str | None, ...] | None) -> str:
    if isinstance(part, tuple):
        return f"({', '.join(_text(one) for one in part)})"
    return NOT_MEASURED if part is None else part
