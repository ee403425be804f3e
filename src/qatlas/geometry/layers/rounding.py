"""Layers whose weights are rounded to uniform grids, one step an output channel."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError, Context
from qatlas.codecs.measure import encode_and_decode
from qatlas.codecs.registry import create
from qatlas.codecs.storage import restored
from qatlas.deferred import torch
from qatlas.models.layers import Layer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RoundedLayer:
    """A layer and the error of its weights.

    Attributes
    ----------
    error
        E = W_hat - W, float64, shape (outputs, inputs).
    steps
        Between two levels of each output channel, float64, shape (outputs,): |E_ij| is at most
        half of it.
    """

    layer: Layer
    error: Floats
    steps: Floats


def round_layers(layers: Sequence[Layer], bits: int) -> list[RoundedLayer]:
    """Round the weights of layers by the codec ``uniform``, one symmetric grid a channel.

    Raises
    ------
    CodecError
        If the codec refuses a weight; the message names the tensor.
    """
    codec = create("uniform", bits=bits, granularity="channel")
    rounded = []
    for layer in layers:
        try:
            coded = encode_and_decode(layer.weight, codec, Context())
        except CodecError as error:
            raise CodecError(f"tensor {layer.tensor}: {error}") from error
        error_of_weights = (coded.decoded.double() - layer.weight.double()).numpy()
        steps = restored(coded.encoded.arrays["scale"]).double().numpy().reshape(-1)
        rounded.append(RoundedLayer(layer, error_of_weights, steps))
    return rounded


@contextmanager
def moved(rounded: Sequence[RoundedLayer], share: float) -> Iterator[None]:
    """Within the block, weights are W + share E: 1 gives the rounded model, 0 the float one."""
    stored = [(found.layer, found.layer.weight.clone()) for found in rounded]
    try:
        for found, (layer, weight) in zip(rounded, stored, strict=True):
            layer.write(weight + torch.from_numpy(share * found.error).to(weight.dtype))
        yield
    finally:
        for layer, weight in stored:
            layer.write(weight)
