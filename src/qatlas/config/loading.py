"""A configuration as it was given, checked; and what is wrong with it, in words."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from qatlas.config.models import KINDS_OF_MODEL
from qatlas.config.study import Study
from qatlas.errors import AtlasError, nearest


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
    """Dotted key; what pydantic adds is none: the kind of a model, the mark of a wrong name."""
    of_model = location[:1] == ("models",)
    keys = location[:2] + location[3:] if of_model and len(location) > 2 else location
    return ".".join(str(key) for key in keys if key != "[key]")


def _what(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        *section, key = problem["loc"]
        return f"there is no such key; {nearest(str(key), _section(section).model_fields)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "kind_of_model":
        return f"{message}; found {_kinds_found(problem['input'])}"
    if problem["type"] in ("value_error", "missing"):
        return message
    return f"{message}; found {problem['input']!r}"


def _kinds_found(model: Any) -> str:
    """What stands in a model that has none or several of the keys that tell its kind."""
    if not isinstance(model, Mapping):
        return repr(model)
    if several := [kind for kind in KINDS_OF_MODEL if kind in model]:
        return " and ".join(several)
    known = {key for kind in KINDS_OF_MODEL.values() for key in kind.model_fields}
    strange = next((str(key) for key in model if key not in known), None)
    return f"{strange!r}, {nearest(strange, KINDS_OF_MODEL)}" if strange else "none of them"


def _section(location: list[int | str]) -> type[BaseModel]:
    """The section at a place of the configuration."""
    section: type[BaseModel] = Study
    for key in map(str, location):
        if key in KINDS_OF_MODEL:
            section = KINDS_OF_MODEL[key]
        elif key in section.model_fields:
            annotation = section.model_fields[key].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                section = annotation
    return section
