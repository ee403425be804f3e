"""Texts that a study names itself: a file, a column of a parquet file, a dataset of the hub."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qatlas.errors import AtlasError, nearest, said
from qatlas.foreign_files import require_regular_file
from qatlas.models.corpus import PARTS, Document, held_out_end


def file_corpus(file: str, separator: str, held_out: float) -> pd.DataFrame:
    r"""Documents of a plain text file; its end is held out, see ``held_out_end``.

    Parameters
    ----------
    file
        Path of a file in UTF-8.
    separator
        What stands between documents, such as "\n\n".
    held_out
        Share of the bytes in the validation part, and in the test part.

    Raises
    ------
    AtlasError
        If the file cannot be read, is no UTF-8, or has too few documents.
    """
    require_regular_file(file, "text.file")
    try:
        # Line ends of another system are line ends.
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise AtlasError(
            f"text.file: {file} cannot be read ({error.strerror}); name a text file in UTF-8"
        ) from error
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is 0x{error.object[error.start]:02x}"
        raise AtlasError(
            f"text.file: {file} is not UTF-8 ({byte}); convert it, for instance with: "
            f"iconv -f latin1 -t utf-8 {file}"
        ) from error
    if not text.strip():
        raise AtlasError(f"text.file: {file} is empty; name a text file with a text in it")
    if separator not in text:
        raise AtlasError(
            f"text.separator: {separator!r} does not occur in {file}, so it is a single document; "
            'give what stands between its documents, such as "\\n"'
        )
    return held_out_end(text.split(separator), Path(file).name, held_out, "text.file")


def parquet_corpus(parquet: str, column: str, held_out: float) -> pd.DataFrame:
    """Documents of a parquet file, one a row; its end is held out, see ``held_out_end``.

    Parameters
    ----------
    parquet
        Path of the file.
    column
        Column of the documents.
    held_out
        Share of the bytes in the validation part, and in the test part.

    Raises
    ------
    AtlasError
        If the file cannot be read, has no such column of texts, or has too few documents.
    """
    require_regular_file(parquet, "text.parquet")
    try:
        schema = pq.read_schema(parquet)
        _require_column(column, schema.names, f"text.column: {parquet}")
        values = pq.read_table(parquet, columns=[column])[column]
        texts = _without_missing(values.to_pylist())
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise AtlasError(
            f"text.parquet: {parquet} is not a readable parquet file ({said(error)}); name another"
        ) from error
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        raise AtlasError(
            f"text.column: {column!r} of {parquet} holds {values.type}, not texts; "
            f"{nearest(column, _texts(schema))}"
        )
    return held_out_end(texts, Path(parquet).name, held_out, "text.parquet")


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

    Rows of nothing but white space are left out. Cache, token, endpoint and offline mode are those
    of the package datasets.

    Parameters
    ----------
    dataset, subset, revision
        Name on the hub, one of its configurations, and commit, tag or branch.
    column
        Column of the documents.
    training, validation, test
        Split that is each part.

    Raises
    ------
    AtlasError
        If the package is not installed, the dataset cannot be had, or has no such split or column
        of texts.
    """
    # Which HTTP library it stands on, and so this class, differs between its versions.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise AtlasError(
            f"text.dataset: {dataset} needs the package datasets, which is not installed; install "
            "it with: pip install datasets, or name a local text with text.file or text.parquet"
        ) from error
    rows = []
    for part, split in zip(PARTS, (training, validation, test), strict=True):
        try:
            loaded = load_dataset(dataset, subset, split=split, revision=revision)
        except (HTTPError, OSError, ValueError) as error:
            said = " ".join(str(error).split())
            raise AtlasError(
                f"text.dataset: split {split!r} (text.{part}) of {dataset}, subset {subset}, "
                f"revision {revision!r}, was not fetched ({type(error).__name__}: {said}); check "
                "the names, the connection, HF_TOKEN and HF_HUB_OFFLINE, or name a local text with "
                "text.file or text.parquet"
            ) from error
        _require_column(column, loaded.column_names, f"text.column: {dataset}")
        if (kind := loaded.features[column].dtype) not in ("string", "large_string"):
            raise AtlasError(
                f"text.column: {column!r} of {dataset} holds {kind}, not texts; name another"
            )
        source = f"{dataset}@{revision}:{split}"
        found = [
            Document(part, source, str(number), text)
            for number, text in enumerate(_without_missing(loaded[column]), 1)
            if text.strip()
        ]
        if not found:
            raise AtlasError(
                f"text.{part}: split {split!r} of {dataset} has no text in its column {column!r}; "
                "name another split or column"
            )
        rows += found
    return pd.DataFrame(rows)


def _require_column(column: str, columns: Sequence[str], where: str) -> None:
    if column not in columns:
        raise AtlasError(f"{where} has no column {column!r}; {nearest(column, columns)}")


def _texts(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _without_missing(texts: Iterable[str | None]) -> list[str]:
    return [text or "" for text in texts]
