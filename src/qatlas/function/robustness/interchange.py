"""Perplexities as one small JSON file each, to exchange with programs that know no parquet."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, shown
from qatlas.foreign_files import read_json_object
from qatlas.function.robustness.names import (
    FLOAT_BITS,
    TITLES,
    bits_of_precision,
    model_key,
    precision_name,
)
from qatlas.function.robustness.points import shown_points
from qatlas.function.robustness.settings import RobustnessSettings

LINE = "imported"
"""Line of files that name none."""

_LONGEST_NAME = 100
_MARKUP = re.compile(r"[^\w .,:;/|+@()'&%#*=-]")
_A_NAME = f"a name of at most {_LONGEST_NAME} letters, digits and marks, but for $ \\ < > {{ }}"
_PATTERN = "*_quant_*.json"
_FORM = "MODEL_quant_PRECISION.json"
_PRECISIONS = "fp32, fp16, bf16 or int and a number of bits, such as int8"


@dataclass(frozen=True)
class _Key:
    """What a key of a file must be."""

    allowed: str
    fits: Any
    default: Any = None


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _text(value: Any) -> bool:
    short = isinstance(value, str) and len(value) <= _LONGEST_NAME
    return short and bool(value.strip()) and not _MARKUP.search(value)


def _perplexity(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and value >= 1


def _bits(value: Any) -> bool:
    return _whole(value, 1) and value <= FLOAT_BITS


_KEYS = {
    "model": _Key(_A_NAME, _text),
    "bit_width": _Key("a whole number from 1 to 32", _bits),
    "perplexity": _Key(
        "a number from 1, or Infinity where the model predicts nothing", _perplexity
    ),
    "line": _Key(_A_NAME, _text, default=LINE),
    "seed": _Key("a whole number from 0", lambda value: _whole(value, 0), default=0),
}


def file_name(model: str, bits: int) -> str:
    """Name of the file of a model at a precision."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', model)}_quant_{precision_name(bits)}.json"


def read_interchange(folder: str | Path) -> pd.DataFrame:
    """Read the files ``MODEL_quant_PRECISION.json`` of a folder.

    Spellings of a model that differ in case, underscores and hyphens alone are one model. Keys
    that are not known are ignored, and so are other files.

    Returns
    -------
    pd.DataFrame
        Table ROBUSTNESS, source "imported".

    Raises
    ------
    AtlasError
        If there is no such file, one is not as it must be, or two are of the same model and bits.
    """
    folder = Path(folder)
    paths = sorted(folder.glob(_PATTERN))
    if not paths:
        raise AtlasError(f"{folder}: no files {_FORM} found; add one a model and precision")
    spellings = {model_key(model): model for model in TITLES}
    seen: dict[tuple[str, int], Path] = {}
    rows = []
    for path in paths:
        found = _read(path)
        key = model_key(found["model"])
        if other := seen.get((key, found["bit_width"])):
            raise AtlasError(
                f"{path}: model {found['model']!r} with bit_width {found['bit_width']} is in "
                f"{other.name} too; allowed: one file a model and bit width; remove one"
            )
        seen[key, found["bit_width"]] = path
        rows.append(found | {"model": spellings.setdefault(key, found["model"])})
    return pd.DataFrame(rows).assign(source="imported")


def write_interchange(
    rows: pd.DataFrame, settings: RobustnessSettings, folder: str | Path
) -> list[Path]:
    """Write a file a model and precision: means over seeds of the shown line.

    Each file is written whole or not at all. Of several seeds, it has the standard deviation
    under another key.

    Returns
    -------
    list of Path
        The files, as ``file_name`` calls them.
    """
    written = []
    for point in shown_points(rows, settings).to_dict("records"):
        path = Path(folder) / file_name(point["model"], point["bit_width"])
        with replacing(path) as unfinished:
            unfinished.write_text(json.dumps(_content(point), indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _content(point: Mapping[str, Any]) -> dict[str, Any]:
    content = {key: point[key] for key in ("model", "bit_width", "perplexity", "line", "seeds")}
    spread = {"perplexity_standard_deviation": point["perplexity_sd"]}
    return content | ({} if math.isnan(point["perplexity_sd"]) else spread)


def _read(path: Path) -> dict[str, Any]:
    remedy = (
        f"write it again: an object with the keys {', '.join(_KEYS)}, of which line and seed may "
        "be left out"
    )
    content = read_json_object(path, "robustness.results_dir", remedy)
    found = {name: _value(path, content, name, key) for name, key in _KEYS.items()}
    _require_precision(path, found["bit_width"])
    return found | {"perplexity": float(found["perplexity"])}


def _value(path: Path, content: Mapping[str, Any], name: str, key: _Key) -> Any:
    if name not in content:
        if key.default is None:
            found = ", ".join(sorted(content))[:200] or "none"
            raise AtlasError(f"{path}: no key {name!r} among {found}; add it: {key.allowed}")
        return key.default
    if not key.fits(content[name]):
        raise AtlasError(f"{path}: {name}: found {shown(content[name])}; allowed: {key.allowed}")
    return content[name]


def _require_precision(path: Path, bits: int) -> None:
    """The file's name must say the same precision as its content."""
    named = path.stem.rpartition("_quant_")[2]
    if bits_of_precision(named) is None:
        raise AtlasError(
            f"{path}: found precision {named!r} in its name; allowed: {_PRECISIONS}; rename it"
        )
    if bits_of_precision(named) != bits:
        raise AtlasError(
            f"{path}: bit_width: found {bits}, but its name says {named}; allowed: "
            f"{bits_of_precision(named)}; mend either"
        )
