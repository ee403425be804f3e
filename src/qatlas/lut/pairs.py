"""Which pairs of operands a table meets: all alike, or a model's activations and weights."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.operand_counts import LARGEST, LayerOperands
from qatlas.lut.product_table import ProductTable

Floats = NDArray[np.float64]


def uniform_pairs(table: ProductTable) -> Floats:
    """Every pair of levels equally often, shape (S, S)."""
    return np.full((table.size, table.size), 1 / table.size**2)


def model_pairs(table: ProductTable, layers: Sequence[LayerOperands]) -> Floats:
    """How often a language model multiplies each pair of levels, shape (S, S).

    The largest magnitude of a tensor goes to the largest level, every other value to the level
    nearest to it. A table without levels below zero multiplies magnitudes. Within a layer any
    activation meets any weight; layers count by their multiplications.

    Parameters
    ----------
    layers
        Of the model.
    """
    places = places_of(table.levels)
    pairs = np.zeros((table.size, table.size))
    for layer in layers:
        activations, weights = (
            np.bincount(places, counts / counts.sum(), table.size)
            for counts in (layer.activations, layer.weights)
        )
        pairs += layer.multiplications * np.multiply.outer(activations, weights)
    shares: Floats = pairs / pairs.sum()
    return shares


def places_of(levels: Floats) -> NDArray[np.int64]:
    """Index of the level nearest to each whole number that is counted; of two as near the lower."""
    values = np.arange(-LARGEST, LARGEST + 1) / LARGEST * levels[-1]
    values = values if levels[0] < 0 else np.abs(values)
    places: NDArray[np.int64] = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
    return places
