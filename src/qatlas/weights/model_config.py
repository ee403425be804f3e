"""config.json of a checkpoint, looked at before transformers builds what it describes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qatlas.errors import AtlasError, shown
from qatlas.foreign_files import read_json_object

CONFIG = "config.json"

_LARGEST_SIDE = 2**31 - 1
_BOUNDS = (
    (re.compile(r"(layers|n_layer|num_blocks|depths?)$"), 0, 2000),
    (re.compile(r"expert|head|group|kernel|conv|stage"), -1, 100_000),
    (re.compile(""), -_LARGEST_SIDE, _LARGEST_SIDE),
)
"""The least and the largest number of a key, by the first pattern that is found in it: what is
built one by one, what is listed one by one, and all others."""
_MOST_PARAMETERS = 100_000
"""Tensors, not weights; models of hundreds of layers and experts have fewer."""
_KERNEL = re.compile(r"attn_implementation|experts_implementation")


def read_model_config(folder: str | Path, where: str) -> dict[str, Any]:
    """The object in a folder's config.json.

    Transformers takes it at its word: a number of layers that no checkpoint has keeps it busy until
    memory ends, and the name of a repository for an implementation would be fetched and run.

    Parameters
    ----------
    where
        How the message begins.

    Raises
    ------
    AtlasError
        If the file is missing or damaged, or a value is none that a model has.
    """
    path = Path(folder) / CONFIG
    described = read_json_object(path, where, "take the whole folder of the model")
    for key, value in _values("", described):
        name = key.rpartition(".")[2]
        if _KERNEL.search(name) and "/" in str(value):
            raise AtlasError(
                f"{where}: {path}: {key} is {shown(value)}, code of a repository, which is not "
                "run; take the key out"
            )
        least, most = next((low, high) for known, low, high in _BOUNDS if known.search(name))
        if isinstance(value, int | float) and not (least <= value <= most or _is_float(value)):
            raise AtlasError(
                f"{where}: {path}: {key} is {shown(value)}; models have {least} to {most}; fetch "
                "the file again"
            )
    if not isinstance(described.get("model_type", ""), str):
        raise AtlasError(
            f"{where}: {path}: model_type is {shown(described['model_type'])}; allowed is a name"
        )
    return described


@contextmanager
def bounded_building(where: str) -> Iterator[None]:
    """Stop the building of a model of more tensors than any has.

    Raises
    ------
    AtlasError
        In the building, once they are too many.
    """
    from torch.nn.modules.module import register_module_parameter_registration_hook

    built = 0

    def count(*_: Any) -> None:
        nonlocal built
        built += 1
        if built > _MOST_PARAMETERS:
            raise AtlasError(
                f"{where}: {CONFIG} describes a model of more than {_MOST_PARAMETERS} tensors; "
                "fetch the file again"
            )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _values(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value that is no section, with its dotted key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(key, inner)
    else:
        yield key, value


def _is_float(value: int | float) -> bool:
    """Whether it was written with a point: such numbers are rates and thresholds, not counts."""
    return isinstance(value, float) and abs(value) < _LARGEST_SIDE**2
