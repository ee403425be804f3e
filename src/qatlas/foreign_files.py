"""Files that somebody else wrote: regular ones alone, and JSON that no reader chokes on."""

import json
from pathlib import Path
from typing import Any

from qatlas.errors import AtlasError, said

_LARGEST_JSON = 32 * 2**20
"""Bytes; the index of a checkpoint of 140,000 tensors has half as many."""
_LONGEST_WHOLE = 18
"""Digits that surely fit 64 bits."""


def require_regular_file(path: str | Path, where: str) -> None:
    """Refuse what is there and is no file, such as a pipe or a device, which never ends.

    What is missing is left to whoever opens it.

    Parameters
    ----------
    where
        How the message begins.

    Raises
    ------
    AtlasError
        If the path, links followed, is a folder, a pipe, a device or a socket.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise AtlasError(
            f"{where}: {path} is a folder, a pipe or a device; allowed is a regular file; put one "
            "in its place"
        )


def read_json_object(path: str | Path, where: str, remedy: str) -> dict[str, Any]:
    """The object that a JSON file holds, no key of it twice.

    Whole numbers beyond 64 bits are read as floats, as most programs do.

    Parameters
    ----------
    where, remedy
        How the message begins, and what to do about it.

    Raises
    ------
    AtlasError
        If the file is missing, no regular file, too large, no JSON in UTF-8, nested too deeply, has
        a key twice, or holds something other than an object.
    """
    require_regular_file(path, where)
    try:
        if (size := Path(path).stat().st_size) > _LARGEST_JSON:
            raise ValueError(f"it has {size} bytes; allowed are {_LARGEST_JSON}")
        content = parse_json(Path(path).read_bytes())
    except OSError as error:
        raise AtlasError(f"{where}: {path} cannot be read ({error.strerror}); {remedy}") from error
    except ValueError as error:
        raise AtlasError(
            f"{where}: {path} is not readable JSON ({said(error)}); {remedy}"
        ) from error
    if not isinstance(content, dict):
        raise AtlasError(
            f"{where}: {path} is not a JSON object but a {type(content).__name__}; {remedy}"
        )
    return content


def parse_json(written: str | bytes) -> Any:
    """What JSON stands for, as ``read_json_object`` reads it.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deeply, or has a key twice.
    """
    try:
        return json.loads(written, object_pairs_hook=_each_key_once, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:100]!r} stands there twice")
        found[key] = value
    return found


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_WHOLE else float(digits)
