"""The list of a model's tensors: what each is, how large, and whose bytes."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.tables import Column, Table
from qatlas.weights.architecture import architecture, twins
from qatlas.weights.orientation import as_matrix, matrix_shape
from qatlas.weights.roles import NO_MATRICES, Role
from qatlas.weights.shards import FLOATING
from qatlas.weights.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

_logger = logging.getLogger(__name__)

_CHUNK = 1 << 22
_ALWAYS_FINITE = ("F4",)
"""Floating-point types without codes for NaN and Inf, which PyTorch does not convert either."""

MANIFEST = Table(
    "manifest",
    "one stored tensor of one model",
    (
        Column("model", "text", "name of the model in the configuration"),
        Column("tensor", "text", "name in the checkpoint"),
        Column("kind", "text", "what it is for: one of qatlas.weights.roles.KINDS"),
        Column("layer", "integer", "position in the stack of layers; none outside", True),
        Column("rows", "integer", "output channels; 1 for a vector"),
        Column("columns", "integer", "everything else, flattened"),
        Column("weights", "integer", "number of elements"),
        Column("dtype", "text", "stored type, PyTorch's name"),
        Column("transposed", "truth", "whether it is stored as (input, output) channels"),
        Column("tied_to", "text", "tensor with the same bytes that counts instead", True),
        Column("role_from", "text", "'architecture', or 'names' if the model has no such tensor"),
        Column("finite", "truth", "no NaN and no Inf; others are refused"),
        Column("file", "text", "name of the file in the snapshot"),
        Column("sha256", "text", "of the stored bytes, hexadecimal"),
    ),
    always_has_rows=True,
)


def manifest(
    snapshot: Snapshot, progress: Callable[[Iterable[str]], Iterable[str]]
) -> list[dict[str, Any]]:
    """Describe every tensor of a snapshot, in the order of their names.

    Each tensor is read once, in chunks. A tensor counts as tied to another if the architecture
    says so and both hold the same bytes.

    Parameters
    ----------
    snapshot
        The model.
    progress
        Takes the names and yields them again; a job shows progress this way.

    Returns
    -------
    list of dict
        Rows of a ``MANIFEST`` table.

    Raises
    ------
    AtlasError
        If a floating-point tensor holds NaN or Inf, a file is damaged, or config.json is.
    """
    known = architecture(snapshot.folder, snapshot.model)
    roles: dict[str, Role] = {}
    rows: list[dict[str, Any]] = []
    for name in progress(snapshot.tensors):
        stored = snapshot.tensors[name]
        role, role_from = known.role(name, stored.shape)
        roles[name] = role
        tensor = snapshot.read(name)
        _require_finite(tensor, name, snapshot)
        height, width = matrix_shape(stored.shape, role.kind, role.transposed)
        rows.append(
            {
                "model": snapshot.model,
                "tensor": name,
                "kind": role.kind,
                "layer": role.layer,
                "rows": height,
                "columns": width,
                "weights": tensor.numel(),
                "dtype": stored.dtype,
                "transposed": role.transposed,
                "tied_to": None,
                "role_from": role_from,
                "finite": True,
                "file": stored.file,
                "sha256": _hash(tensor),
            }
        )
    _tie(rows, twins(roles, {name: known.parameter(name) or name for name in roles}))
    if known.roles and (strangers := [r["tensor"] for r in rows if r["role_from"] == "names"]):
        _logger.warning(
            "model %s: %d tensors are no parameters of the architecture, so their kinds are "
            "guessed from their names, such as %s",
            snapshot.model,
            len(strangers),
            strangers[0],
        )
    return rows


def matrices(frame: pd.DataFrame, include: Iterable[str], smallest: int) -> pd.DataFrame:
    """Rows of a manifest that are worth quantizing, in its order.

    Those are matrices (or what flattens into one) of floating-point weights, 16 bits or wider,
    that are not tied to another tensor and whose kind is neither "vector" nor "other".

    Parameters
    ----------
    frame
        A ``MANIFEST`` table.
    include
        Glob patterns; a tensor's name must match one.
    smallest
        Weights that a matrix has at least.

    Raises
    ------
    AtlasError
        If none is left.
    """
    patterns = tuple(include)
    candidates = frame[
        frame["dtype"].isin(FLOATING) & frame["tied_to"].isna() & ~frame["kind"].isin(NO_MATRICES)
    ]
    included = candidates["tensor"].map(lambda name: any(fnmatchcase(name, p) for p in patterns))
    chosen = candidates[included.astype(bool) & (candidates["weights"] >= smallest)]
    if chosen.empty:
        models = ", ".join(sorted(set(frame["model"])))
        largest = candidates.nlargest(3, "weights")
        found = ", ".join(
            f"{name} ({weights} weights)"
            for name, weights in zip(largest["tensor"], largest["weights"], strict=True)
        )
        raise AtlasError(
            f"model {models}: no matrix of at least {smallest} weights matches "
            f"{', '.join(patterns) or 'the empty list of patterns'}; its largest matrices are "
            f"{found or 'none'}"
        )
    return chosen.reset_index(drop=True)


def shard(frame: pd.DataFrame, index: int, count: int) -> pd.DataFrame:
    """Deal matrices into ``count`` shards of nearly equal weight and give one of them.

    The largest goes first, always to the lightest shard so far (longest processing time first;
    Graham 1969: the heaviest shard is at most 4/3 of the best possible). A shard keeps the order
    of the frame; with more shards than matrices some are empty.

    Parameters
    ----------
    frame
        Rows of a ``MANIFEST`` table.
    index
        Which shard, from 0.
    count
        How many there are.

    Raises
    ------
    ValueError
        If there is no shard of that index.
    """
    if not 0 <= index < count:
        raise ValueError(f"no shard {index} of {count}")
    weights = frame["weights"].to_numpy()
    totals = [0] * count
    mine = []
    for position in np.argsort(-weights, kind="stable"):
        lightest = totals.index(min(totals))
        totals[lightest] += int(weights[position])
        if lightest == index:
            mine.append(position)
    return frame.iloc[sorted(mine)].reset_index(drop=True)


def read_matrix(snapshot: Snapshot, row: Mapping[str, Any]) -> "Tensor":
    """Tensor of a manifest's row as a matrix, shape (rows, columns), in the stored dtype.

    Rows are output channels. What is stored that way is mapped from the file, not copied.

    Raises
    ------
    AtlasError
        If the snapshot has no such tensor or it has another shape by now.
    """
    stored = snapshot.read(row["tensor"])
    matrix = as_matrix(stored, row["kind"], row["transposed"]).contiguous()
    if tuple(matrix.shape) != (row["rows"], row["columns"]):
        raise AtlasError(
            f"model {snapshot.model}: tensor {row['tensor']!r} in {snapshot.folder} is "
            f"{matrix.shape[0]} x {matrix.shape[1]}, the manifest says {row['rows']} x "
            f"{row['columns']}; make the manifest again"
        )
    return matrix


def _require_finite(tensor: "Tensor", name: str, snapshot: Snapshot) -> None:
    if (
        not tensor.is_floating_point()
        or snapshot.tensors[name].dtype in _ALWAYS_FINITE
        or all(map(_extremes_are_finite, _chunks(tensor)))
    ):
        return
    infinite = sum(int((~torch.isfinite(_computable(part))).sum()) for part in _chunks(tensor))
    raise AtlasError(
        f"model {snapshot.model}: tensor {name!r} in "
        f"{snapshot.folder / snapshot.tensors[name].file} holds {infinite} NaN or Inf among "
        f"{tensor.numel()} weights; fetch the file again, or use another checkpoint"
    )


def _extremes_are_finite(chunk: "Tensor") -> bool:
    """Whether all of it is finite: extremes show NaN and Inf, tens of times faster than a count."""
    return bool(torch.isfinite(torch.stack(torch.aminmax(_computable(chunk)))).all())


def _computable(chunk: "Tensor") -> "Tensor":
    return chunk if chunk.element_size() > 1 else chunk.float()


def _hash(tensor: "Tensor") -> str:
    digest = sha256()
    for chunk in _chunks(tensor):
        digest.update(chunk.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _chunks(tensor: "Tensor") -> Iterator["Tensor"]:
    flat = tensor.reshape(-1)
    return (flat[start : start + _CHUNK] for start in range(0, flat.numel(), _CHUNK))


def _tie(rows: list[dict[str, Any]], tied: Mapping[str, str]) -> None:
    """Mark each tensor that the architecture ties to one with the same bytes."""
    by_name = {row["tensor"]: row for row in rows}
    for name, other in tied.items():
        row, twin = by_name[name], by_name[other]
        if twin["sha256"] == row["sha256"]:
            row["tied_to"] = other
        else:
            _logger.warning(
                "model %s: %s is tied to %s in the architecture but stored with other values; "
                "both are counted",
                row["model"],
                name,
                other,
            )
