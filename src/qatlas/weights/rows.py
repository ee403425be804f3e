"""How long the rows of a checkpoint's matrices are, from the headers of its files."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from qatlas.requirements import Row
from qatlas.weights.architecture import architecture, twins
from qatlas.weights.orientation import matrix_shape
from qatlas.weights.roles import NO_MATRICES, role_from_name
from qatlas.weights.shards import FLOATING
from qatlas.weights.snapshot import Snapshot


def possible_rows(snapshot: Snapshot, include: Iterable[str], smallest: int) -> Iterator[Row]:
    """Rows of every matrix that may be quantized, whichever way it may lie.

    Only the architecture knows which tensors are matrices, and whether one is stored as
    (input, output) channels, and it is slow to ask. These are the rows of all tensors of two or
    more dimensions both ways; embeddings and heads are always (output, input).

    Parameters
    ----------
    snapshot
        The model.
    include, smallest
        As in ``qatlas.weights.manifest.matrices``.
    """
    for name in considered(snapshot, include, smallest):
        shape = snapshot.tensors[name].shape
        if len(shape) < 2:
            continue
        columns = {matrix_shape(shape, "linear", False)[1]}
        if role_from_name(name, shape).kind not in ("embedding", "head"):
            columns.add(matrix_shape(shape, "linear", True)[1])
        if len(shape) > 2:
            columns |= {matrix_shape(shape, "convolution", way)[1] for way in (False, True)}
        yield from (Row(snapshot.model, name, count) for count in sorted(columns))


def rows_of_matrices(snapshot: Snapshot, include: Iterable[str], smallest: int) -> list[Row]:
    """Rows of the matrices that are quantized, as the architecture says; takes seconds.

    They are those of ``qatlas.weights.manifest.matrices``, but for a tensor that the architecture
    ties to another of the same checkpoint and that is stored with other values than this: it is
    left out here.

    Parameters
    ----------
    snapshot
        The model.
    include, smallest
        As in ``qatlas.weights.manifest.matrices``.

    Raises
    ------
    AtlasError
        If config.json is damaged or describes a model that cannot be built.
    """
    known = architecture(snapshot.folder, snapshot.model)
    roles = {name: known.role(name, stored.shape)[0] for name, stored in snapshot.tensors.items()}
    tied = twins(roles, {name: known.parameter(name) or name for name in roles})
    rows = []
    for name in considered(snapshot, include, smallest):
        role = roles[name]
        if role.kind not in NO_MATRICES and name not in tied:
            shape = matrix_shape(snapshot.tensors[name].shape, role.kind, role.transposed)
            rows.append(Row(snapshot.model, name, shape[1]))
    return rows


def considered(snapshot: Snapshot, include: Iterable[str], smallest: int) -> Iterator[str]:
    """Names of floating-point tensors, large enough, that a pattern names.

    Parameters
    ----------
    snapshot
        The model.
    include, smallest
        As in ``qatlas.weights.manifest.matrices``.
    """
    patterns = tuple(include)
    for name, stored in snapshot.tensors.items():
        if (
            stored.dtype in FLOATING
            and stored.weights >= smallest
            and any(fnmatchcase(name, pattern) for pattern in patterns)
        ):
            yield name
