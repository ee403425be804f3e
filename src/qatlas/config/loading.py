"""A configuration as it was given, checked; and what is wrong with it, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from qatlas.config.function import KINDS_OF_CHECKPOINT, KINDS_OF_LANGUAGE_MODEL
from qatlas.config.models import KINDS_OF_MODEL
from qatlas.config.study import Study
from qatlas.config.text import KINDS_OF_TEXT
from qatlas.errors import AtlasError, nearest

_Kinds = Mapping[str, type[BaseModel]]

_KINDS: dict[str, _Kinds] = {
    "kind_of_model": KINDS_OF_MODEL,
    "kind_of_text": KINDS_OF_TEXT,
    "kind_of_language_model": KINDS_OF_LANGUAGE_MODEL,
    "kind_of_checkpoint": KINDS_OF_CHECKPOINT,
}
_KINDS_BEHIND: dict[tuple[str, ...], _Kinds] = {
    ("models", "*"): KINDS_OF_MODEL,
    ("text",): KINDS_OF_TEXT,
    ("function", "models", "*"): KINDS_OF_LANGUAGE_MODEL,
    ("function", "checkpoints", "*"): KINDS_OF_CHECKPOINT,
}
"""Behind which keys pydantic puts the kind into the location of a problem."""


def load(given: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises
    ------
    AtlasError
        If anything is wrong with it: a line for every problem, with the key, what was found and
        what is allowed.
    """
    try:
        return Study.model_validate(given)
    except ValidationError as error:
        problems = [f"  {_sentence(problem)}" for problem in error.errors()]
        raise AtlasError("\n".join(["the configuration is not valid:", *problems])) from error


def _sentence(problem: Mapping[str, Any]) -> str:
    key, what = _where(problem["loc"]), _what(problem)
    # What is wrong with several sections together names its key itself.
    return f"{key}: {what}" if key else what


def _where(location: tuple[int | str, ...]) -> str:
    """Dotted key; what pydantic adds is none: the kind of a section, the mark of a wrong name."""
    kinds = {place for place in range(len(location)) if _kinds_behind(location[:place])}
    keys = [key for place, key in enumerate(location) if place not in kinds and key != "[key]"]
    return ".".join(map(str, keys))


def _kinds_behind(location: Sequence[int | str]) -> _Kinds:
    """The kinds of which one stands next in the location of a problem; none at most places."""
    for above, kinds in _KINDS_BEHIND.items():
        if len(above) == len(location) and all(
            key in ("*", found) for key, found in zip(above, location, strict=True)
        ):
            return kinds
    return {}


def _what(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        *section, key = problem["loc"]
        return f"there is no such key; {nearest(str(key), _section(section).model_fields)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if kinds := _KINDS.get(problem["type"]):
        return f"{message}; found {_kinds_found(problem['input'], kinds)}"
    if problem["type"] in ("value_error", "missing"):
        return message
    return f"{message}; found {problem['input']!r}"


def _kinds_found(given: Any, kinds: Mapping[str, type[BaseModel]]) -> str:
    """What stands in a section that has none or several of the keys that tell its kind."""
    if not isinstance(given, Mapping):
        return repr(given)
    if several := [kind for kind in kinds if kind in given]:
        return " and ".join(several)
    known = {key for section in kinds.values() for key in section.model_fields}
    strange = next((str(key) for key in given if key not in known), None)
    return f"{strange!r}, {nearest(strange, known)}" if strange else "none of them"


def _section(location: list[int | str]) -> type[BaseModel]:
    """The section at a place of the configuration."""
    section: type[BaseModel] = Study
    for place, key in enumerate(map(str, location)):
        if kinds := _kinds_behind(location[:place]):
            section = kinds[key]
        elif key in section.model_fields:
            annotation = section.model_fields[key].annotation
            # A section that may be left out is a union with None.
            for option in (annotation, *get_args(annotation)):
                if isinstance(option, type) and issubclass(option, BaseModel):
                    section = option
    return section
