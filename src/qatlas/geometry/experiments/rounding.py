"""Layers with rounded weights, what enters each, and the box of errors that each adds."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from qatlas.errors import AtlasError
from qatlas.geometry.grid import rounded
from qatlas.geometry.sets.zonotope import Floats


@dataclass(frozen=True, eq=False)
class RoundedLayers:
    """Linear layers with rounded weights at one input or many.

    Attributes
    ----------
    weights
        As rounded, shape (layers, d, d).
    entering
        What enters each layer when all before it are rounded, shape (..., layers, d).
    entries
        1 where an entry of a matrix is rounded and 0 where it is not there, shape (d, d).
    step
        Of the grid.
    """

    weights: Floats
    entering: Floats
    entries: Floats
    step: float

    @property
    def half_widths(self) -> Floats:
        """Of the box of errors at each layer's output, shape (..., layers, d).

        An entry errs by half a step at most, so output i by half a step times the sum of |x_j|
        over the entries of its row.
        """
        widths: Floats = self.step / 2 * (np.abs(self.entering) @ self.entries.T)
        return widths

    @property
    def variances(self) -> Floats:
        """Of errors that are uniform in their cells and independent, shape (..., layers, d)."""
        found: Floats = self.step**2 / 12 * (self.entering**2 @ self.entries.T)
        return found


def round_full(weights: ArrayLike, inputs: ArrayLike, step: float) -> RoundedLayers:
    """Layers of which every entry is rounded.

    Parameters
    ----------
    weights
        Shape (layers, d, d).
    inputs
        Shape (..., d).

    Raises
    ------
    AtlasError
        If the shapes do not go together.
    """
    exact = np.asarray(weights, np.float64)
    if exact.ndim != 3 or exact.shape[1] != exact.shape[2] or not len(exact):
        raise AtlasError(
            f"weights: found shape {exact.shape}; allowed is (layers, d, d) with at least one layer"
        )
    return _at(rounded(exact, step), np.ones(exact.shape[1:]), inputs, step)


def round_diagonal(diagonals: ArrayLike, inputs: ArrayLike, step: float) -> RoundedLayers:
    """Layers that scale each channel: only the entries of the diagonal are there.

    Parameters
    ----------
    diagonals
        Shape (layers, d).
    inputs
        Shape (..., d).

    Raises
    ------
    AtlasError
        If the shapes do not go together.
    """
    exact = np.asarray(diagonals, np.float64)
    if exact.ndim != 2 or not len(exact):
        raise AtlasError(
            f"weights: found diagonals of shape {exact.shape}; allowed is (layers, d) with at "
            "least one layer"
        )
    identity = np.eye(exact.shape[1])
    return _at(rounded(exact, step)[:, None] * identity, identity, inputs, step)


def diagonal_twin(layers: RoundedLayers) -> RoundedLayers:
    """The same boxes, carried by the diagonals of the rounded weights alone."""
    return replace(layers, weights=layers.weights * np.eye(layers.weights.shape[1]))


def _at(weights: Floats, entries: Floats, inputs: ArrayLike, step: float) -> RoundedLayers:
    x = np.asarray(inputs, np.float64)
    if x.ndim == 0 or x.shape[-1] != weights.shape[1]:
        raise AtlasError(
            f"input: found shape {x.shape}; layers of {weights.shape[1]} channels need "
            f"(..., {weights.shape[1]})"
        )
    entering = [x]
    for weight in weights[:-1]:
        entering.append(entering[-1] @ weight.T)
    return RoundedLayers(weights, np.stack(entering, axis=-2), entries, step)
