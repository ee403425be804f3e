"""A configuration file of whatever origin, read without running anything that stands in it.

Snakemake reads configurations itself, and of a file with ``__use_yte__`` it runs what stands behind
question marks; aliases that name aliases keep it busy forever. What is refused here it never sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qatlas.config.plain import DEEPEST, MOST_ENTRIES, TEMPLATES
from qatlas.errors import AtlasError, said
from qatlas.foreign_files import require_regular_file

_LARGEST = 2**20
"""Bytes; the default study takes a sixtieth of them."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = ("str", "int", "float", "bool", "null", "seq", "map", "merge")
_PREFIX = "tag:yaml.org,2002:"
_SCALAR, _ALIAS = yaml.events.ScalarEvent, yaml.events.AliasEvent
_STARTS = (yaml.events.SequenceStartEvent, yaml.events.MappingStartEvent)
_ENDS = (yaml.events.SequenceEndEvent, yaml.events.MappingEndEvent)


def read_config_file(path: str | Path) -> dict[str, Any]:
    """The mapping that a YAML or JSON file holds.

    Raises
    ------
    AtlasError
        If it cannot be read, is no UTF-8 or no YAML, holds something other than a mapping, has a
        key twice, a template, a type of Python, or aliases that stand for themselves or for more
        entries than any study has. The message names the file and the line.
    """
    text = _text(path)
    try:
        _require_bearable(path, yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise _not_yaml(path, error) from error
    try:
        content = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise _not_yaml(path, error) from error
    if not isinstance(content, dict):
        raise AtlasError(
            f"{path}: found {'nothing' if content is None else f'a {type(content).__name__}'}; "
            "allowed is a mapping with the keys of docs/config.md, models, codecs and "
            "rate_distortion among them"
        )
    if TEMPLATES in content:
        raise AtlasError(
            f"{path}: found {TEMPLATES}; templates run code, so a study has none: write out what "
            "they stand for"
        )
    return content


def _not_yaml(path: str | Path, error: Exception) -> AtlasError:
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark else ""
    return AtlasError(f"{path}{line}: not YAML ({said(error)}); mend it")


def _text(path: str | Path) -> str:
    require_regular_file(path, "configuration")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise AtlasError(
            f"configuration {path}: cannot be read ({error.strerror}); name a YAML file"
        ) from error
    except ValueError as error:
        raise AtlasError(
            f"configuration {path}: not UTF-8 ({said(error)}); convert it, for instance with: "
            f"iconv -f latin1 -t utf-8 {path}"
        ) from error
    if len(content) > _LARGEST:
        raise AtlasError(
            f"configuration {path}: larger than {_LARGEST} bytes; no study needs so many, so name "
            "the right file"
        )
    return text


@dataclass
class _Open:
    """A list or mapping whose end was not reached yet.

    Attributes
    ----------
    anchor
        The name that aliases know it by.
    keys
        Those seen so far; None of a list.
    entries
        What it holds so far, what aliases stand for counted in full.
    places
        How many nodes were seen; every other one of a mapping is a key.
    """

    anchor: str | None
    keys: set[str] | None
    entries: int = 1
    places: int = 0


@dataclass
class _Seen:
    """What was read so far: what is open, and how many entries each anchor stands for."""

    nested: list[_Open] = field(default_factory=lambda: [_Open(None, None)])
    anchors: dict[str, int] = field(default_factory=dict)


def _require_bearable(path: str | Path, events: Iterator[Any]) -> None:
    """Follow the file as it is written, which takes no more time than the file is long."""
    seen = _Seen()
    for event in events:
        where = f"{path}, line {event.start_mark.line + 1}"
        if isinstance(event, (_SCALAR, *_STARTS)):
            _require_plain_tag(event.tag, where)
        if isinstance(event, _STARTS):
            keys: set[str] | None = (
                set() if isinstance(event, yaml.events.MappingStartEvent) else None
            )
            _enter(seen, _Open(event.anchor, keys), where)
        elif isinstance(event, _SCALAR):
            _add(seen, 1, event.value, where)
            if event.anchor:
                seen.anchors[event.anchor] = 1
        elif isinstance(event, _ALIAS):
            _add(seen, _stands_for(seen, event.anchor, where), f"*{event.anchor}", where)
        elif isinstance(event, _ENDS):
            closed = seen.nested.pop()
            if closed.anchor:
                seen.anchors[closed.anchor] = closed.entries
            _add(seen, closed.entries, None, where)


def _require_plain_tag(tag: str | None, where: str) -> None:
    allowed = {None, "!", *(_PREFIX + name for name in _TAGS)}
    if tag not in allowed:
        raise AtlasError(
            f"{where}: found the tag {str(tag).replace(_PREFIX, '!!')!r}; allowed are plain texts, "
            "numbers, lists and mappings without one"
        )


def _enter(seen: _Seen, opened: _Open, where: str) -> None:
    if len(seen.nested) > DEEPEST:
        raise AtlasError(
            f"{where}: lists and mappings lie more than {DEEPEST} deep in each other; no key of a "
            "study does, so mend the brackets"
        )
    if opened.anchor:
        # Known from here on, so that what stands for itself is noticed.
        seen.anchors[opened.anchor] = 0
    seen.nested.append(opened)


def _add(seen: _Seen, entries: int, scalar: str | None, where: str) -> None:
    """Count a finished node, and look whether it is a key that its mapping has already."""
    around = seen.nested[-1]
    if around.keys is not None and around.places % 2 == 0 and scalar is not None:
        if scalar in around.keys and scalar != "<<":
            raise AtlasError(f"{where}: the key {scalar!r} stands there twice; keep one of them")
        around.keys.add(scalar)
    around.places += 1
    around.entries += entries
    if around.entries > MOST_ENTRIES:
        raise AtlasError(
            f"{where}: more than {MOST_ENTRIES} entries so far, those that aliases stand for "
            "counted in full; write a smaller study"
        )


def _stands_for(seen: _Seen, anchor: str, where: str) -> int:
    entries = seen.anchors.get(anchor)
    if entries is None:
        raise AtlasError(f"{where}: the alias *{anchor} has no anchor &{anchor} above it; add one")
    if entries == 0:
        raise AtlasError(
            f"{where}: the alias *{anchor} stands inside of what it stands for, without end; write "
            "out what is meant"
        )
    return entries
