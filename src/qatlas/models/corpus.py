"""The corpus: documents in a training, a validation and a test part, and what they sum up to."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.models.docstrings import docstrings
from qatlas.tables import Column, Table

PARTS = ("training", "validation", "test")


class Document(NamedTuple):
    """A row of a ``DOCUMENTS`` table."""

    part: str
    source: str
    name: str
    text: str


DOCUMENTS = Table(
    "documents",
    "one document of the text",
    (
        Column("part", "text", "training, validation or test"),
        Column("source", "text", "pinned package, file, or split of a dataset"),
        Column("name", "text", "which document of the source"),
        Column("text", "text", "the document"),
    ),
)


def docstring_corpus(
    packages: Sequence[str],
    validation: Sequence[str],
    test: Sequence[str],
    progress: Callable[[Iterable[str]], Iterable[str]],
) -> pd.DataFrame:
    """Docstrings of installed packages, each text once; whole packages are held out.

    A text of several packages belongs to the training part if one of them does, so that what is
    held out is new. The order within a part is that of checksums: as mixed as a shuffle and the
    same everywhere, so that any stretch is a sample of its part.

    Parameters
    ----------
    packages, validation, test
        Packages of the training, the validation and the test part.
    progress
        Takes the names of the packages and yields them again; a job shows progress this way.

    Returns
    -------
    DataFrame
        A ``DOCUMENTS`` table.

    Raises
    ------
    AtlasError
        If a package cannot be read, or a part is empty.
    """
    parts = {"training": packages, "validation": validation, "test": test}
    part_of = {package: part for part in PARTS for package in parts[part]}
    documents = _each_text_once(
        Document(part_of[package], found.pin, name, text)
        for package in progress(sorted(part_of))
        for found in [docstrings(package)]
        for name, text in found.texts
    )
    for part, key in zip(PARTS, ("packages", "validation", "test"), strict=True):
        if not (documents["part"] == part).any():
            raise AtlasError(
                f"text.{key}: all docstrings of {', '.join(parts[part])} stand in packages of "
                "another part too; name other packages"
            )
    return documents


def _each_text_once(documents: Iterable[Document]) -> pd.DataFrame:
    frame = pd.DataFrame(list(documents), columns=list(DOCUMENTS.schema.names))
    frame["rank"] = frame["part"].map(PARTS.index)
    frame["checksum"] = [sha256(text.encode()).hexdigest() for text in frame["text"]]
    # What is defined twice under one name is told apart by its checksum.
    first = frame.sort_values(["rank", "source", "name", "checksum"]).drop_duplicates("checksum")
    ordered = first.sort_values(["rank", "checksum"], ignore_index=True)
    return ordered[list(DOCUMENTS.schema.names)]


def held_out_end(texts: Sequence[str], source: str, held_out: float, key: str) -> pd.DataFrame:
    """Documents of one text, in its order; the validation and the test part are its end.

    Documents of nothing but white space are left out; the others are named by their number.

    Parameters
    ----------
    texts
        The documents.
    source
        What they are from.
    held_out
        Share of the bytes in the validation part, and in the test part, at least one document each.
    key
        Key of the configuration that names the text, for messages.

    Returns
    -------
    DataFrame
        A ``DOCUMENTS`` table.

    Raises
    ------
    AtlasError
        If no document is left for a part.
    """
    kept = [(str(number), text) for number, text in enumerate(texts, 1) if text.strip()]
    sizes = [len(text.encode()) for _, text in kept]
    test = _start_of_end(sizes, held_out * sum(sizes))
    validation = _start_of_end(sizes[:test], held_out * sum(sizes))
    if validation == 0:
        raise AtlasError(
            f"{key}: {source} has {len(kept)} documents that are not empty, and none is left for "
            "training beside those of the validation and the test part; give a text of more "
            "documents, or a smaller text.held_out"
        )
    ends = zip(PARTS, (0, validation, test), (validation, test, len(kept)), strict=True)
    rows = [
        Document(part, source, name, text)
        for part, start, end in ends
        for name, text in kept[start:end]
    ]
    return pd.DataFrame(rows)


def _start_of_end(sizes: Sequence[int], share: float) -> int:
    """Where the last documents begin that together have at least ``share`` bytes, at least one."""
    start, held = len(sizes), 0
    while start > 0 and (held == 0 or held < share):
        start -= 1
        held += sizes[start]
    return start


def manifest(documents: pd.DataFrame) -> dict[str, Any]:
    """Number of documents, bytes (UTF-8) and checksums of a corpus, its parts and their sources.

    The checksum of a part is the SHA-256 of the concatenated SHA-256 of its documents, that of the
    corpus the SHA-256 of the concatenated hexadecimal checksums of its parts.
    """
    parts = {part: _part(documents[documents["part"] == part]) for part in PARTS}
    checksums = "".join(parts[part]["sha256"] for part in PARTS)
    return {"sha256": sha256(checksums.encode()).hexdigest(), "parts": parts}


def write_manifest(record: Mapping[str, Any], path: str | Path) -> None:
    """Write a record of a text, or of its tokens, as JSON with sorted keys."""
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


def _part(documents: pd.DataFrame) -> dict[str, Any]:
    sources = {str(source): _size(texts) for source, texts in documents.groupby("source")["text"]}
    digests = b"".join(sha256(text.encode()).digest() for text in documents["text"])
    return {
        **_size(documents["text"]),
        "sha256": sha256(digests).hexdigest(),
        "sources": sources,
    }


def _size(texts: "pd.Series[str]") -> dict[str, int]:
    return {"documents": len(texts), "bytes": sum(len(text.encode()) for text in texts)}
