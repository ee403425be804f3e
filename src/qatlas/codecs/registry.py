"""Codecs by name: one module of ``families`` each, found without importing the others."""

import json
import sys
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from qatlas.codecs import families
from qatlas.codecs.base import Codec, CodecError
from qatlas.errors import nearest

Class = TypeVar("Class", bound=type)

_classes: dict[str, type] = {}


def register(codec: Class) -> Class:
    """Class decorator: the codec goes by the name of the module that defines it.

    Raises
    ------
    TypeError
        If the class is not a frozen dataclass.
    """
    if not is_dataclass(codec) or not codec.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(f"{codec.__name__}: a codec is a frozen dataclass")
    _classes[_name(codec)] = codec
    return codec


def names() -> tuple[str, ...]:
    """Names of all codecs, sorted."""
    return tuple(sorted(module.name for module in iter_modules(families.__path__)))


def create(name: str, **parameters: Any) -> Codec:
    """Make the codec of that name, its parameters checked against its fields.

    Raises
    ------
    CodecError
        If there is no such codec or parameter, or a value is not allowed; the message names the
        nearest valid one.
    """
    codec = codec_class(name)
    try:
        checked = parameter_model(name).model_validate(parameters)
        return cast(Codec, codec(**dict(checked)))
    except ValidationError as error:
        raise CodecError(f"codec {name}: {_first(error, name)}") from error
    except ValueError as error:
        raise CodecError(f"codec {name}: {error}") from error


def name_of(codec: Codec) -> str:
    """Name under which a codec is registered."""
    return _name(type(codec))


def parameters_of(codec: Codec) -> str:
    """Parameters of a codec as JSON with sorted keys."""
    return json.dumps(asdict(codec), sort_keys=True)  # type: ignore[call-overload]


def codec_class(name: str) -> type:
    """Class of the codec of that name.

    Raises
    ------
    CodecError
        If there is none; the message names the nearest.
    """
    module = f"{families.__name__}.{name}"
    # Listing the folder takes longer than encoding a small matrix.
    if module not in sys.modules:
        if name not in names():
            raise CodecError(f"no codec {name!r}; {nearest(name, names())}")
        import_module(module)
    return _classes[name]


@cache
def parameter_model(name: str) -> type[BaseModel]:
    """Pydantic model of a codec's parameters: the fields of its dataclass, nothing else."""
    codec = codec_class(name)
    types = get_type_hints(codec, include_extras=True)
    defaults = {f.name: ... if f.default is MISSING else f.default for f in fields(codec)}
    strict = ConfigDict(extra="forbid", strict=True)
    parameters: dict[str, Any] = {key: (types[key], default) for key, default in defaults.items()}
    return create_model(codec.__name__, __config__=strict, **parameters)


def _name(codec: type) -> str:
    return codec.__module__.rpartition(".")[2]


def _first(error: ValidationError, name: str) -> str:
    """The first problem as one sentence naming the parameter and what is allowed."""
    problems = error.errors()
    unknown = [str(p["loc"][0]) for p in problems if p["type"] == "extra_forbidden"]
    if unknown:
        known = [field.name for field in fields(codec_class(name))]
        return f"no parameter {unknown[0]!r}; {nearest(unknown[0], known)}"
    parameter = problems[0]["loc"][0]
    if problems[0]["type"] == "missing":
        return f"{parameter} is missing"
    # A parameter of several types has one problem for each.
    wanted = " or ".join(
        p["msg"].removeprefix("Input should be ") for p in problems if p["loc"][0] == parameter
    )
    return f"{parameter} should be {wanted}; found {problems[0]['input']!r}"
