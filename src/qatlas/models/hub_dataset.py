"""Texts of a dataset of the Hugging Face hub, read from its parquet files.

Which files are a split is told by the dataset's card, as in
https://huggingface.co/docs/hub/datasets-manual-configuration, or else by their names. No code of
the dataset is run.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from qatlas.errors import AtlasError, nearest, said
from qatlas.models.corpus import PARTS, Document
from qatlas.models.texts import texts_of_column
from qatlas.weights.hub import repository_files

_CARD = "README.md"
_DEFAULT = "default"
_CONVERTED = "refs/convert/parquet"
"""The branch in which the hub keeps a copy of most datasets in parquet."""
_PLACES = (
    "{subset}/{split}-*.parquet",
    "{subset}/{split}/*.parquet",
    "{subset}/{split}.parquet",
)
"""Where a split lies if no card tells, with the subset and its folder left out if none is named."""


def dataset_corpus(
    dataset: str,
    subset: str | None,
    revision: str,
    column: str,
    training: str,
    validation: str,
    test: str,
) -> pd.DataFrame:
    """Documents of a dataset of the Hugging Face hub, one a row, in the dataset's own parts.

    Rows of nothing but white space are left out. Files are fetched as ``repository_files`` does.

    Parameters
    ----------
    dataset, subset, revision
        Name on the hub, one of its configurations, and commit, tag or branch.
    column
        Column of the documents.
    training, validation, test
        Split that is each part.

    Returns
    -------
    DataFrame
        A ``DOCUMENTS`` table.

    Raises
    ------
    AtlasError
        If the dataset cannot be had, or has no such split in parquet files, or these no such column
        of texts.
    """
    patterns = _patterns(_card_of(dataset, revision), dataset, subset)
    rows = []
    for part, split in zip(PARTS, (training, validation, test), strict=True):
        source = f"{dataset}@{revision}:{split}"
        where = f"text.{part}: split {split!r} of {dataset}"
        files = _files(dataset, revision, _patterns_of(split, subset, patterns, where), where)
        columns = (
            texts_of_column(file, column, f"{where}: {file}", f"text.column: {dataset}")
            for file in files
        )
        texts = (text for texts in columns for text in texts)
        found = [
            Document(part, source, str(number), text)
            for number, text in enumerate(texts, 1)
            if text.strip()
        ]
        if not found:
            raise AtlasError(
                f"{where} has no text in its column {column!r}; name another split or column"
            )
        rows += found
    return pd.DataFrame(rows)


def _fetched(dataset: str, revision: str, patterns: Sequence[str]) -> Path:
    try:
        return repository_files("dataset", dataset, revision, patterns)
    except AtlasError as error:
        raise AtlasError(
            f"text.dataset: {error}; or name a local text with text.file or text.parquet"
        ) from error


def _card_of(dataset: str, revision: str) -> Mapping[str, Any]:
    """What the card says in its head; nothing where there is no card."""
    path = _fetched(dataset, revision, [_CARD]) / _CARD
    if not path.is_file():
        return {}
    try:
        found = _head(path.read_text(encoding="utf-8-sig"))
    except (OSError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise AtlasError(
            f"text.dataset: the head of {path} cannot be read ({said(error)}); name another "
            f"revision, such as {_CONVERTED}, or a local text with text.file or text.parquet"
        ) from error
    return found if isinstance(found, dict) else {}


def _head(card: str) -> Any:
    """The YAML between the lines at the top of a card.

    Raises
    ------
    ValueError
        If it has aliases, a few of which can stand for more than any memory holds.
    """
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    block = REGEX_YAML_BLOCK.search(card)
    if block is None:
        return None
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(block[2], yaml.SafeLoader)):
        raise ValueError("it has aliases, which no card needs")
    return yaml.safe_load(block[2])


def _patterns(
    card: Mapping[str, Any], dataset: str, subset: str | None
) -> dict[str, list[str]] | None:
    """Patterns of the files of each split; None where the card does not tell.

    Raises
    ------
    AtlasError
        If the card tells of subsets, and not of this one.
    """
    listed = card.get("configs")
    subsets = [one for one in _list(listed) if isinstance(one, dict) and "data_files" in one]
    if not subsets:
        return None
    by_name = {str(one.get("config_name", _DEFAULT)): one for one in subsets}
    marked = [name for name, one in by_name.items() if one.get("default") is True]
    default = next(iter([*marked, *([_DEFAULT] if len(by_name) > 1 else by_name)]))
    name = subset or default
    if name not in by_name:
        raise AtlasError(f"text.subset: {dataset} has no subset {name!r}; {nearest(name, by_name)}")
    return dict(_splits(by_name[name]["data_files"]))


def _splits(data_files: Any) -> Iterator[tuple[str, list[str]]]:
    """Split and patterns; files of no split are its training split."""
    entries = _list(data_files)
    if plain := [entry for entry in entries if isinstance(entry, str)]:
        yield "train", plain
    for entry in entries:
        if isinstance(entry, dict) and "split" in entry:
            yield str(entry["split"]), [str(path) for path in _list(entry.get("path"))]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _patterns_of(
    split: str, subset: str | None, patterns: Mapping[str, list[str]] | None, where: str
) -> list[str]:
    if patterns is None:
        folders = [subset] if subset else [".", "data", _DEFAULT]
        return [
            place.format(subset=folder, split=split).removeprefix("./")
            for folder in folders
            for place in _PLACES
        ]
    if split not in patterns:
        raise AtlasError(f"{where}: there is none; {nearest(split, patterns)}")
    return patterns[split]


def _files(dataset: str, revision: str, patterns: Sequence[str], where: str) -> list[Path]:
    """Files of a split, in the order of their names."""
    folder = _fetched(dataset, revision, patterns)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    matching = [name for name in sorted(files) if any(fnmatchcase(name, p) for p in patterns)]
    if not matching or not all(name.endswith(".parquet") for name in matching):
        found = f"found {matching[0]}" if matching else "there is none"
        raise AtlasError(
            f"{where} should be parquet files ({', '.join(patterns)}), {found}; name another "
            f"split or subset; or set text.revision to {_CONVERTED}, where the hub keeps most "
            "datasets in parquet; or name a local text with text.file or text.parquet"
        )
    return [files[name] for name in matching]
