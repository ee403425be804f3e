"""The page of bounds: every function of `qatlas.bounds`, as its docstring has it."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType

from qatlas.rate_distortion.schema import BOUNDS

MODULES = ("gaussian", "empirical", "waterfilling", "high_rate")
INTRODUCTION = """\
`results/rate_distortion/tables/bounds.parquet` holds the limits of every tensor, point by point;
its columns stand in [tables.md](tables.md#bounds). What they mean is told in
[rate and distortion](concepts/rate_distortion.md), and [how to add one](add-a-bound.md) has a page
of its own.
"""


def bounds_page() -> str:
    """Modules of bounds in order, with their functions."""
    lines = ["# Bounds\n", INTRODUCTION]
    columns = [column for column in BOUNDS.columns if column.name.endswith("_bits")]
    lines += ["| column | meaning |", "|---|---|"]
    lines += [f"| `{column.name}` | {column.meaning} |" for column in columns]
    lines.append("")
    for name in MODULES:
        module = import_module(f"qatlas.bounds.{name}")
        lines += [f"## {name}\n", f"{inspect.getdoc(module)}\n"]
        for function in functions_of(module):
            lines += [f"### {function.__name__}\n", *section(function)]
    return "\n".join(lines)


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Public functions that a module defines, in the order of its lines."""
    for name, member in vars(module).items():
        if (
            inspect.isfunction(member)
            and member.__module__ == module.__name__
            and not name.startswith("_")
        ):
            yield member


def section(function: FunctionType) -> Iterator[str]:
    """How a function is called, and its docstring up to its parameters, with what it gives."""
    parameters = ", ".join(inspect.signature(function).parameters)
    text = inspect.getdoc(function) or ""
    told, *parts = re.split(r"^(\w+)\n-+\n", text, flags=re.MULTILINE)
    yield f"`{function.__module__}.{function.__name__}({parameters})`\n"
    yield f"{told.strip()}\n"
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    if "Returns" in sections:
        kind, _, meaning = sections["Returns"].strip().partition("\n")
        yield f"Gives `{kind}`: {inspect.cleandoc(meaning)}\n"
