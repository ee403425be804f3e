"""Texts of this machine that a study names itself: a file, or a column of a parquet file."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qatlas.errors import AtlasError, nearest, said
from qatlas.foreign_files import require_regular_file
from qatlas.models.corpus import held_out_end


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
    texts = texts_of_column(parquet, column, f"text.parquet: {parquet}", f"text.column: {parquet}")
    return held_out_end(texts, Path(parquet).name, held_out, "text.parquet")


def texts_of_column(file: str | Path, column: str, where: str, where_column: str) -> list[str]:
    """Texts of a column of a parquet file, one a row; a missing one is empty.

    Parameters
    ----------
    file, column
        Path of the file, and name of the column.
    where, where_column
        How messages about the file and about the column begin.

    Raises
    ------
    AtlasError
        If the file cannot be read, or has no such column of texts.
    """
    try:
        require_texts(pq.read_schema(file), column, where_column)
        values = pq.read_table(file, columns=[column])[column]
        return [text or "" for text in values.to_pylist()]
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise AtlasError(
            f"{where} is not a readable parquet file ({said(error)}); name another"
        ) from error


def require_texts(schema: pa.Schema, column: str, where: str) -> None:
    """Refuse a table that has no such column, or one of something else than texts.

    Parameters
    ----------
    schema, column
        The table's columns, and the name of the one that is wanted.
    where
        How messages begin.

    Raises
    ------
    AtlasError
        If there is no such column, or it holds no texts; the message names the nearest that does.
    """
    if column not in schema.names:
        raise AtlasError(f"{where} has no column {column!r}; {nearest(column, schema.names)}")
    kinds = {field.name: field.type for field in schema}
    texts = [
        name
        for name, kind in kinds.items()
        if pa.types.is_string(kind) or pa.types.is_large_string(kind)
    ]
    if column not in texts:
        raise AtlasError(
            f"{where}: {column!r} holds {kinds[column]}, not texts; {nearest(column, texts)}"
        )
