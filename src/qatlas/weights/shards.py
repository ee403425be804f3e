"""What the headers of safetensors files say, and the index that ties shards together."""

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from qatlas.errors import AtlasError, said, shown
from qatlas.foreign_files import parse_json, read_json_object, require_regular_file

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}

FLOATING = ("bfloat16", "float16", "float32", "float64")
"""Types of weights that can be quantized."""

_LARGEST_HEADER = 32 * 2**20
"""Bytes; a hundred times that of a file with a thousand tensors."""
_FILE = re.compile(r"[\w.+@() -]{1,200}\.safetensors")
_LONGEST_NAME = 500
_NAME = re.compile(r"[\w.:/|+@ -]+")
"""What names of attributes and paths are made of; figures, LaTeX and pages print it as it is."""


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies and what it is, as its file's header says.

    Attributes
    ----------
    file
        Name of the file inside the snapshot folder.
    dtype
        PyTorch's name of the type, such as "bfloat16"; the safetensors name where PyTorch has none.
    shape
        Sides as stored.
    """

    file: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def weights(self) -> int:
        """Number of elements."""
        return prod(self.shape)


def read_index(path: Path, model: str) -> dict[str, str]:
    """File that each tensor lies in, as the index says.

    Raises
    ------
    AtlasError
        If it is not an index, or names a file outside its folder or one that is missing.
    """
    content = read_json_object(path, f"model {model}", "fetch it again")
    places: Any = content.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise AtlasError(
            f"model {model}: {path} is not an index of shards, it names no tensors; fetch it again"
        )
    for name, file in places.items():
        if not isinstance(file, str) or not _FILE.fullmatch(file):
            raise AtlasError(
                f"model {model}: {path} places tensor {shown(name)} in {shown(file)}; allowed is "
                "the name of a .safetensors file in the same folder"
            )
        if not (path.parent / file).is_file():
            raise AtlasError(
                f"model {model}: {path} places tensor {name!r} in {file}, which is missing; "
                "fetch it"
            )
    return places


def stored_tensors(folder: Path, files: list[str], model: str) -> dict[str, StoredTensor]:
    """Tensors that the named files of a folder hold, ordered by name; only headers are read.

    Raises
    ------
    AtlasError
        If a file is damaged, or two hold a tensor of the same name.
    """
    tensors: dict[str, StoredTensor] = {}
    for file in files:
        if not _FILE.fullmatch(file):
            raise AtlasError(
                f"model {model}: a file of {folder} is called {shown(file)}; allowed are letters, "
                "digits, spaces and . _ - + @ ( ); rename it"
            )
        for name, stored in _read_header(folder / file, model).items():
            if name in tensors:
                raise AtlasError(
                    f"model {model}: tensor {name!r} lies in both {tensors[name].file} and {file} "
                    f"of {folder}; keep the files of one model only"
                )
            tensors[name] = stored
    return dict(sorted(tensors.items()))


def _read_header(path: Path, model: str) -> dict[str, StoredTensor]:
    from safetensors import SafetensorError, safe_open

    require_regular_file(path, f"model {model}")
    try:
        # "np" asks for nothing but headers here; "pt" would import PyTorch.
        with safe_open(path, "np") as stored:
            slices = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118
            found = {
                name: StoredTensor(
                    path.name,
                    _DTYPES.get(part.get_dtype(), part.get_dtype()),
                    tuple(part.get_shape()),
                )
                for name, part in slices.items()
            }
        _require_each_name_once(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise AtlasError(
            f"model {model}: {path} is truncated, unreadable or not a safetensors "
            f"file ({said(error)}); fetch it again"
        ) from error
    for name in found:
        if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise AtlasError(
                f"model {model}: {path} holds a tensor that is called {shown(name)}; allowed are "
                f"letters, digits, spaces and . _ - : / | + @, at most {_LONGEST_NAME}; rename it"
            )
    return found


def _require_each_name_once(path: Path) -> None:
    """The library takes the last of two tensors of one name, and says nothing.

    Raises
    ------
    ValueError
        If the header names a tensor twice, or is larger than any checkpoint's.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LARGEST_HEADER:
            raise ValueError(f"its header has {length} bytes; allowed are {_LARGEST_HEADER}")
        parse_json(file.read(length))
