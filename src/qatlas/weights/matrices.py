"""The matrices a job works on, read one at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    folder
        Snapshot folder.
    include
        Name patterns of the tensors to quantize.
    smallest
        Fewest weights of such a tensor.
    index, count
        The job's number among all that share the model's matrices.
    """

    folder: str
    include: tuple[str, ...]
    smallest: int
    index: int
    count: int


def open_shard(
    manifest: pd.DataFrame, part: Shard, progress: Callable[[list[str]], Iterable[str]]
) -> Iterator[Matrix]:
    """Read the matrices of a shard lazily, in the manifest's order.

    Parameters
    ----------
    manifest
        A ``MANIFEST`` table of one model.
    part
        Which of its matrices.
    progress
        Takes the tensors' names and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no tensor matches, or a file is damaged.
    """
    chosen = shard(matrices(manifest, part.include, part.smallest), part.index, part.count)
    snapshot = open_snapshot(part.folder, manifest.model.iloc[0])
    rows = dict(zip(chosen.tensor, chosen.to_dict("records"), strict=True))
    for name in progress(list(rows)):
        row = rows[name]
        layer = None if pd.isna(row["layer"]) else int(row["layer"])
        yield Matrix(row["model"], name, row["kind"], layer, read_matrix(snapshot, row))
