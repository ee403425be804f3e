"""Integer inference: integers with one scale a tensor, sums of their products exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.geometry.grid import FEWEST_BITS, largest_code
from qatlas.geometry.sets.zonotope import Floats

MOST_BITS = 24


@dataclass(frozen=True, eq=False)
class Integers:
    """Codes and what they count.

    Attributes
    ----------
    codes
        int64, from -2^(bits - 1) to 2^(bits - 1) - 1.
    scale
        Value of one; 0 for a tensor of zeros, whose codes are 0.
    """

    codes: NDArray[np.int64]
    scale: float


def to_integers(values: Floats, bits: int) -> Integers:
    """Round to integers of one scale, max|x| / (2^(bits - 1) - 1).

    Raises
    ------
    AtlasError
        If there are fewer than 2 bits, or more than 24, whose products a sum might not hold.
    """
    if not FEWEST_BITS <= bits <= MOST_BITS:
        raise AtlasError(f"bits: found {bits}; allowed are {FEWEST_BITS} to {MOST_BITS}")
    top = largest_code(bits)
    scale = float(np.abs(values).max()) / top
    if scale == 0:
        return Integers(np.zeros(values.shape, np.int64), 0.0)
    return Integers(np.clip(np.rint(values / scale), -top - 1, top).astype(np.int64), scale)


def quantized_weights(weights: Floats, inputs: Floats, bits: int) -> Floats:
    """Values after each layer when weights alone are integers, shape (layers, n, d).

    Parameters
    ----------
    weights
        Shape (layers, d, d).
    inputs
        Shape (n, d).
    """
    values, found = inputs, []
    for weight in weights:
        integers = to_integers(weight, bits)
        values = values @ integers.codes.T * integers.scale
        found.append(values)
    return np.stack(found)


def quantized_weights_and_activations(weights: Floats, inputs: Floats, bits: int) -> Floats:
    """The same when what enters a layer is integers too, of one scale for all inputs."""
    values, found = inputs, []
    for weight in weights:
        integers, entering = to_integers(weight, bits), to_integers(values, bits)
        sums = (entering.codes @ integers.codes.T).astype(np.float64)
        values = sums * (integers.scale * entering.scale)
        found.append(values)
    return np.stack(found)


def exact_values(weights: Floats, inputs: Floats) -> Floats:
    """Values after each layer without rounding, shape (layers, n, d)."""
    values, found = inputs, []
    for weight in weights:
        values = values @ weight.T
        found.append(values)
    return np.stack(found)
