"""What a dataset's card says is looked at before the library ``datasets`` acts on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from qatlas.errors import AtlasError, said, shown

CARDS = ("README.md", ".huggingface.yaml")
"""Files in which a dataset says where its texts lie."""
_SIGNS_OF_ELSEWHERE = ("://", "::", "..")


def require_plain_card(folder: Path, dataset: str) -> None:
    """Refuse a card by which ``datasets`` would look outside of the dataset, or fill the memory.

    The library lists a whole disk, or asks another host, before it finds that files are not the
    dataset's own; and it writes out what aliases stand for, a few of which fill any memory.

    Parameters
    ----------
    folder
        Where the dataset's ``CARDS`` lie, as far as it has them.
    dataset
        Its name, for messages.

    Raises
    ------
    AtlasError
        If a card cannot be read, has aliases, or names files that are not the dataset's.
    """
    for path in (folder / name for name in CARDS):
        if path.is_file():
            try:
                text = path.read_text(encoding="utf-8-sig")
                _require_plain(_head(text) if path.suffix == ".md" else text)
            except (OSError, RecursionError, ValueError, yaml.YAMLError) as error:
                raise AtlasError(
                    f"text.dataset: {path.name} of {dataset} cannot be read ({said(error)}); name "
                    "another text.revision, or a local text with text.file or text.parquet"
                ) from error


def _head(card: str) -> str:
    """The YAML between the lines at the top of a card; nothing where there are none."""
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    block = REGEX_YAML_BLOCK.search(card)
    return block[2] if block else ""


def _require_plain(head: str) -> None:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(head, yaml.SafeLoader)):
        raise ValueError("it has aliases, which no card needs")
    for place in _places(yaml.safe_load(head), stated=False):
        if place.startswith("/") or any(sign in place for sign in _SIGNS_OF_ELSEWHERE):
            raise ValueError(f"it names {shown(place)}, which is outside of the dataset")


def _places(value: Any, stated: bool) -> Iterator[str]:
    """All strings that stand somewhere below ``data_files`` or ``data_dir``."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _places(below, stated or key in ("data_files", "data_dir"))
    elif isinstance(value, list):
        for below in value:
            yield from _places(below, stated)
    elif stated and isinstance(value, str):
        yield value
