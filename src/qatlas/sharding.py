"""How many jobs share the matrices of a model, where the configuration leaves it open."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from qatlas.config.models import AnyModel, HubModel, LocalModel, PackagedModel, SampledModel
from qatlas.errors import AtlasError
from qatlas.weights.rows import considered
from qatlas.weights.snapshot import open_snapshot
from qatlas.weights.sources import packaged_folder

WEIGHTS_A_SHARD = 1 << 28
"""Most weights of a shard, but for a tensor that has more. Of the default study the slowest codec
takes some two microseconds a weight for all of its points, which makes ten minutes."""


def shard_count(name: str, model: AnyModel) -> int:
    """Jobs that share a model's matrices: as many as it says, or as its files are large.

    A model of the hub has one job where it does not say, since nothing is known of it before it is
    fetched, and how the work is shared must not change when it was.

    Parameters
    ----------
    name
        Of the model in the configuration.
    model
        As the configuration has it.
    """
    if isinstance(model, SampledModel):
        return 1
    if model.shards is not None:
        return model.shards
    if isinstance(model, HubModel):
        return 1
    try:
        return shards_for(_weights(name, model))
    except (AtlasError, OSError):
        return 1  # The job that reads the model says what is wrong with it, and what to do.


def shards_for(weights: Sequence[int]) -> int:
    """Shards of at most ``WEIGHTS_A_SHARD`` each, if they could be dealt evenly.

    There is at least one, and no more than one for every tensor, since none is cut.

    Parameters
    ----------
    weights
        Of every tensor.
    """
    return max(1, min(len(weights), ceil(sum(weights) / WEIGHTS_A_SHARD)))


def _weights(name: str, model: PackagedModel | LocalModel) -> list[int]:
    """Weights of every tensor that may be quantized, as the headers of the files say."""
    folder = (
        packaged_folder(model.package, model.folder)
        if isinstance(model, PackagedModel)
        else Path(model.path)
    )
    snapshot = open_snapshot(folder, name)
    names = considered(snapshot, model.include, model.smallest)
    return [snapshot.tensors[tensor].weights for tensor in names]
