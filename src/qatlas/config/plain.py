"""What every value of a configuration is, whatever its key: plain, finite and not too large."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 24
"""Lists and mappings in each other; the shipped studies have seven."""
MOST_ENTRIES = 20_000
"""Keys, values and items together; the default study has a sixteenth."""
TEMPLATES = "__use_yte__"
"""Key by which Snakemake takes a file for a template."""

_LONGEST = 1000
_LARGEST = 2**63 - 1


def problems_of(given: Mapping[Any, Any]) -> list[str]:
    """What no key of a study may hold: a sentence for each, with its key.

    Looking ends where the entries are too many or too deep, so that a mapping that holds itself
    takes no time either.

    Parameters
    ----------
    given
        The configuration as it was read.
    """
    problems: list[str] = []
    waiting: list[tuple[tuple[str, ...], Any]] = [((), given)]
    entries = 0
    while waiting:
        place, value = waiting.pop()
        entries += 1
        if len(place) > DEEPEST or entries > MOST_ENTRIES:
            key = ".".join(place[:3])
            return [
                f"{key}: more than {MOST_ENTRIES} entries, or more than {DEEPEST} deep in each "
                "other; write a smaller study, without aliases that stand for themselves"
            ]
        key = ".".join(place)
        if isinstance(value, Mapping):
            problems += [
                f"{key}: the key {k!r} is no text; quote it" for k in value if not _text(k)
            ]
            problems += [
                f"{key}: the key {name[:40]!r} {fault}"
                for name in filter(_text, value)
                for fault in _faults_of_text(name)
            ]
        else:
            problems += [f"{key}: {fault}" for fault in _faults(value)]
        waiting += [((*place, name), inner) for name, inner in _inside(value)]
    return sorted(problems)


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(place), inner) for place, inner in enumerate(value))


def _text(key: Any) -> bool:
    return isinstance(key, str)


def _faults(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _faults_of_text(value)
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield f"found a whole number of {value.bit_length()} bits; allowed are up to 63"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"found {value}; allowed are finite numbers"
    elif not isinstance(value, str | int | float | list | tuple | None):
        yield (
            f"found a {type(value).__name__}, {str(value)[:40]!r}; allowed are texts, numbers, "
            "lists and mappings; quote what is meant as a text"
        )


def _faults_of_text(text: str) -> Iterator[str]:
    if len(text) > _LONGEST:
        yield f"has {len(text)} characters; allowed are {_LONGEST}"
    if strange := next((c for c in text if not c.isprintable() and c not in "\n\t"), None):
        yield f"has the character {strange!a}, which nothing prints; leave it out"
