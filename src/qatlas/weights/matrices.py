"""The matrices a job works on, read one at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qatlas.weights.manifest import matrices, read_matrix, shard
from qatlas.weights.snapshot import open_snapshot

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Matrix:
    """A weight matrix, shape (output channels, input channels), and what it is."""

    model: str
    tensor: str
    kind: str
    layer: int | None
    weight: "Tensor"


@dataclass(frozen=True)
class Shard:
    """Which matrices of a model a job works on.

    Attributes
    ----------
    model
        Name of the model.
    folder
        Snapshot folder.
    include
        Name patterns of the tensors to quantize.
    smallest
        Fewest weights of such a tensor.
    index, count
        The job's number among all that share the model's matrices.
    """

    model: str
    folder: str
    include: tuple[str, ...]
    smallest: int
    index: int
    count: int


def open_shards(
    manifest: pd.DataFrame,
    parts: Iterable[Shard],
    progress: Callable[[list[str]], Iterable[str]],
) -> Iterator[Matrix]:
    """Read the matrices of shards lazily, one shard after another, each in the manifest's order.

    Parameters
    ----------
    manifest
        A ``MANIFEST`` table of their models.
    parts
        Which matrices, a shard a model.
    progress
        Takes the names of models and tensors and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no tensor matches, or a file is damaged.
    """
    found = {
        f"{part.model} {row['tensor']}": (snapshot, row)
        for part in parts
        for snapshot in [open_snapshot(part.folder, part.model)]
        for row in _rows_of(manifest, part)
    }
    for name in progress(list(found)):
        snapshot, row = found[name]
        layer = None if pd.isna(row["layer"]) else int(row["layer"])
        weight = read_matrix(snapshot, row)
        yield Matrix(row["model"], row["tensor"], row["kind"], layer, weight)


def _rows_of(manifest: pd.DataFrame, part: Shard) -> list[dict[str, Any]]:
    of_model = manifest[manifest["model"] == part.model]
    chosen = shard(matrices(of_model, part.include, part.smallest), part.index, part.count)
    return [dict(row) for row in chosen.to_dict("records")]
