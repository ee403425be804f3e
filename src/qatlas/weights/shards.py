"""What the headers of safetensors files say, and the index that ties shards together."""

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from qatlas.errors import AtlasError

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
    try:
        places: Any = json.loads(path.read_bytes())["weight_map"]
    except (ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            f"model {model}: {path} is not an index of shards ({error!r}); fetch it again"
        ) from error
    if not isinstance(places, dict) or not places:
        raise AtlasError(f"model {model}: {path} names no tensors; fetch it again")
    for name, file in places.items():
        if not isinstance(file, str) or not re.fullmatch(r"[^/\\:]+\.safetensors", file):
            raise AtlasError(
                f"model {model}: {path} places tensor {name!r} in {file!r}; allowed is the name "
                "of a .safetensors file in the same folder"
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

    try:
        # "np" asks for nothing but headers here; "pt" would import PyTorch.
        with safe_open(path, "np") as stored:
            slices = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118
            return {
                name: StoredTensor(
                    path.name,
                    _DTYPES.get(part.get_dtype(), part.get_dtype()),
                    tuple(part.get_shape()),
                )
                for name, part in slices.items()
            }
    except (OSError, SafetensorError) as error:
        raise AtlasError(
            f"model {model}: {path} is truncated, unreadable or not a safetensors "
            f"file ({error}); fetch it again"
        ) from error
