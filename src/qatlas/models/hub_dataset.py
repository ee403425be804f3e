"""Texts of a dataset of the Hugging Face hub, as its library ``datasets`` reads them.

Which files are a subset and its splits is told by the dataset's card, or by their names. No code of
a dataset is run: ``datasets`` has no scripts any more, and only files of ``PLAIN`` kinds are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import yaml

from qatlas.errors import AtlasError, nearest, said
from qatlas.models.corpus import PARTS, Document
from qatlas.models.dataset_card import CARDS, require_plain_card
from qatlas.models.texts import require_texts
from qatlas.weights.hub import repository_files

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder

PLAIN = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".txt": "text",
}
"""Ends of the names of files that are read, and by which builder of ``datasets``.

Of other kinds some hold pickles or archives.
"""
_BATCH = 10_000
_UNNAMED = "default"
"""What ``datasets`` calls the subset of a dataset that has no others."""
_ELSEWHERE = "or name a local text with text.file or text.parquet"
_CONVERTED = (
    "set text.revision to refs/convert/parquet, where the hub keeps some datasets in parquet"
)


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

    Rows of nothing but white space are left out. Files are fetched as ``repository_files`` does;
    ``datasets`` keeps what it read of them in its cache (HF_DATASETS_CACHE), from which it is read
    again where there is no network.

    Parameters
    ----------
    dataset, subset, revision
        Name on the hub, one of its configurations (or of its folders, if its card has none), and
        commit, tag or branch.
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
        If the dataset cannot be had, or has no such subset, split or column of texts, or if its
        files are of another kind or cannot be read.
    """
    from datasets import disable_progress_bars
    from datasets.utils.logging import set_verbosity_error

    # Its bars are for a terminal of its own; those of the transfer tell more.
    disable_progress_bars()
    set_verbosity_error()
    splits = dict(zip(PARTS, (training, validation, test), strict=True))
    folder = _fetched(dataset, revision, CARDS)
    require_plain_card(folder, dataset)
    with _readable(dataset):
        builder = _builder(dataset, subset, folder.name)
        _require_splits(dataset, splits, builder)
        if subset is None and not any((folder / card).is_file() for card in CARDS):
            _require_one_folder(dataset, builder)
        _fetched(dataset, folder.name, [escape(name) for name in _files(dataset, builder)])
        builder.download_and_prepare()
        parts = [
            _documents(builder.as_dataset(split=split), column, part, dataset, revision)
            for part, split in splits.items()
        ]
    return pd.concat(parts, ignore_index=True)


def _documents(
    rows: "Dataset", column: str, part: str, dataset: str, revision: str
) -> pd.DataFrame:
    require_texts(rows.features.arrow_schema, column, f"text.column: {dataset}")
    source = f"{dataset}@{revision}:{rows.split}"
    batches = rows.select_columns(column).with_format("arrow").iter(batch_size=_BATCH)
    # Texts as Python's strings take a multiple of their bytes, so few are such at a time.
    frames = [
        pd.DataFrame(found)
        for start, batch in zip(count(1, _BATCH), batches, strict=False)
        if (
            found := [
                Document(part, source, str(number), text)
                for number, text in enumerate(batch[column].to_pylist(), start)
                if text and text.strip()
            ]
        )
    ]
    if not frames:
        raise AtlasError(
            f"text.{part}: split {str(rows.split)!r} of {dataset} has no text in its column "
            f"{column!r}; name another split or column"
        )
    return pd.concat(frames)


def _fetched(dataset: str, revision: str, patterns: Sequence[str]) -> Path:
    try:
        return repository_files("dataset", dataset, revision, patterns)
    except AtlasError as error:
        raise AtlasError(f"text.dataset: {error}; {_ELSEWHERE}") from error


@contextmanager
def _readable(dataset: str) -> Iterator[None]:
    """Say in words what ``datasets`` stumbles over; a card may say anything."""
    from datasets.exceptions import DatasetsError

    # Which HTTP library it stands on, and so this class, differs between its versions.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except AtlasError:
        raise
    except (
        HTTPError,
        DatasetsError,
        pa.ArrowException,
        yaml.YAMLError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        RuntimeError,
        ImportError,
    ) as error:
        cause = error.__cause__ or error
        raise AtlasError(
            f"text.dataset: {dataset} cannot be read by the library datasets "
            f"({type(cause).__name__}: {said(cause)}); check text.subset, the connection, "
            "HF_HUB_OFFLINE, and that there is room in HF_DATASETS_CACHE and nothing damaged; or "
            f"{_CONVERTED}; {_ELSEWHERE}"
        ) from error


def _builder(dataset: str, subset: str | None, commit: str) -> "DatasetBuilder":
    """What knows the files of a subset, or has them in the cache of ``datasets``.

    Raises
    ------
    AtlasError
        If there is no such subset.
    """
    from datasets import config, get_dataset_config_names, load_dataset_builder

    # A look-up of another host, for statistics.
    config.HF_UPDATE_DOWNLOAD_COUNTS = False
    # Without a network the library takes what it finds of any commit and subset; here is one.
    place = Path(config.HF_DATASETS_CACHE) / commit / quote(subset or _UNNAMED, safe="")
    given = {"path": f"hf://datasets/{dataset}", "revision": commit, "cache_dir": str(place)}
    try:
        return load_dataset_builder(name=subset, **given)
    except ValueError:
        subsets = get_dataset_config_names(**given)
        if subset in subsets or (subset is None and len(subsets) == 1):
            raise
    if subsets == [_UNNAMED]:
        return load_dataset_builder(data_dir=subset, **given)
    missing = f"no subset {subset!r}" if subset else "no default subset"
    raise AtlasError(f"text.subset: {dataset} has {missing}; {nearest(subset or '', subsets)}")


def _require_splits(dataset: str, splits: Mapping[str, str], builder: "DatasetBuilder") -> None:
    """Refuse splits that do not exist, before anything large is fetched."""
    files = builder.config.data_files
    found = builder.info.splits if files is None else filter(files.get, files)
    known = [str(name) for name in found or ()]
    for part, split in splits.items():
        if split not in known:
            raise AtlasError(
                f"text.{part}: {dataset} has no split {split!r}; {nearest(split, known)}"
            )


def _require_one_folder(dataset: str, builder: "DatasetBuilder") -> None:
    """Refuse what may be several subsets: the library joins the files of a split from all folders.

    Raises
    ------
    AtlasError
        If a split lies in several folders.
    """
    for split, urls in (builder.config.data_files or {}).items():
        folders = sorted({PurePosixPath(_name(url)).parts[0] for url in urls if "/" in _name(url)})
        if len(folders) > 1:
            raise AtlasError(
                f"text.subset: {dataset} has no card, and its split {str(split)!r} lies in several "
                f"folders ({', '.join(folders)}); name one of them"
            )


def _files(dataset: str, builder: "DatasetBuilder") -> list[str]:
    """Paths of a subset's files in the repository; none if they are in the cache.

    Raises
    ------
    AtlasError
        If one is not of a kind that is read.
    """
    urls = [url for files in (builder.config.data_files or {}).values() for url in files]
    names = [_name(url) for url in urls]
    for name in names:
        if PLAIN.get(PurePosixPath(name).suffix) != builder.name:
            raise AtlasError(
                f"text.dataset: {dataset} has its texts in {name}, which would be read as "
                f"{builder.name} (allowed: {', '.join(PLAIN)}); name another text.subset, or "
                f"{_CONVERTED}; {_ELSEWHERE}"
            )
    return names


def _name(url: str) -> str:
    """Path in the repository of what is at hf://datasets/OWNER/NAME@COMMIT/PATH."""
    return url.partition("@")[2].partition("/")[2]
