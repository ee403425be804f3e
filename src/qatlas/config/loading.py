"""A configuration as it was given, checked; and what is wrong with it, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from qatlas.config.function import KINDS_OF_CHECKPOINT, KINDS_OF_LANGUAGE_MODEL
from qatlas.config.models import KINDS_OF_MODEL
from qatlas.config.plain import problems_of
from qatlas.config.study import Study
from qatlas.config.text import KINDS_OF_TEXT
from qatlas.errors import AtlasError, nearest, shown

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
_MOST_PROBLEMS = 40
"""As many as are read; a list of wrong values has one for each."""


def load(given: Mapping[str, Any]) -> Study:
    """Check a configuration.

    Raises
    ------
    AtlasError
        If anything is wrong with it: a line for every problem, with the key, what was found and
        what is allowed.
    """
    if problems := problems_of(given):
        raise _refusal(problems)
    try:
        return Study.model_validate(given)
    except ValidationError as error:
        raise _refusal([_sentence(problem) for problem in error.errors()]) from error


def _refusal(problems: Sequence[str]) -> AtlasError:
    lines = [f"  {problem}" for problem in problems[:_MOST_PROBLEMS]]
    if (more := len(problems) - len(lines)) > 0:
        lines.append(f"  and {more} more")
    return AtlasError("\n".join(["the configuration is not valid:", *lines]))


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
    return f"{message}; found {shown(problem['input'])}"


def _kinds_found(given: Any, kinds: Mapping[str, type[BaseModel]]) -> str:
    """What stands in a section that has none or several of the keys that tell its kind."""
    if not isinstance(given, Mapping):
        return shown(given)
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
            section = _section_in(section.model_fields[key].annotation) or section
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds, also one that may be missing; None if it holds none."""
    kinds = (annotation, *get_args(annotation))
    sections = (k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))
    return next(sections, None)
