"""A ReLU network small enough to be seen, its weights on a grid, and its passes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError
from qatlas.geometry.grid import largest_code, rounded, step_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReluNetwork:
    """Affine layers with a ReLU between any two, none after the last.

    Attributes
    ----------
    weights
        Of each layer, float64, shape (outputs, inputs).
    biases
        Of each layer, float64, shape (outputs,).
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @classmethod
    def of(cls, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> "ReluNetwork":
        """The network with these matrices and vectors.

        Raises
        ------
        AtlasError
            If a shape does not fit the layer before it, or a value is not finite.
        """
        matrices = tuple(np.asarray(weight, np.float64) for weight in weights)
        vectors = tuple(np.asarray(bias, np.float64) for bias in biases)
        if not matrices or len(matrices) != len(vectors):
            raise AtlasError(
                f"a network has a bias for each weight matrix; found {len(matrices)} weights and "
                f"{len(vectors)} biases"
            )
        inputs = matrices[0].shape[-1] if matrices[0].ndim else 0
        for number, (weight, bias) in enumerate(zip(matrices, vectors, strict=True), start=1):
            if weight.ndim != 2 or weight.shape[1] != inputs or bias.shape != weight.shape[:1]:
                raise AtlasError(
                    f"layer {number}: found weights of shape {weight.shape} and a bias of shape "
                    f"{bias.shape}; it takes {inputs} inputs, so that the weights are (outputs, "
                    f"{inputs}) and the bias (outputs,)"
                )
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise AtlasError(f"layer {number}: weights and biases are finite numbers")
            inputs = len(weight)
        return cls(matrices, vectors)

    def on_grid(self, bits: int) -> "ReluNetwork":
        """Its weights rounded to the nearest multiple of 2^-(bits - 1); biases are kept.

        Codes are not clipped: a weight beyond 1 has a code of more bits.

        Raises
        ------
        AtlasError
            If there are fewer than 2 bits.
        """
        step = step_of(bits)
        return ReluNetwork(tuple(rounded(weight, step) for weight in self.weights), self.biases)

    @property
    def hidden_units(self) -> int:
        """Units of all layers that a ReLU follows."""
        return sum(len(weight) for weight in self.weights[:-1])


@dataclass(frozen=True)
class Pass:
    """What a network computes at some points.

    Attributes
    ----------
    inputs
        a_{l-1}: what each layer is given, rounded where the pass rounds, shape (points, inputs).
    preactivations
        z_l: what each layer gives, shape (points, outputs).
    """

    inputs: tuple[Floats, ...]
    preactivations: tuple[Floats, ...]

    @property
    def output(self) -> Floats:
        """Of the last layer, shape (points, outputs)."""
        return self.preactivations[-1]

    @property
    def pattern(self) -> NDArray[np.bool_]:
        """Which hidden units are on, shape (points, hidden units of all layers)."""
        hidden = self.preactivations[:-1]
        if not hidden:
            return np.zeros((len(self.output), 0), np.bool_)
        return np.hstack([z > 0 for z in hidden])


@dataclass(frozen=True)
class ActivationGrid:
    """Equally spaced values that the input of a layer is rounded to.

    Attributes
    ----------
    scale
        Between two neighbours.
    bits
        Of the codes, which lie between -2^(bits-1) and 2^(bits-1) - 1.
    """

    scale: float
    bits: int

    def round(self, values: Floats) -> Floats:
        """Nearest values of the grid."""
        top = largest_code(self.bits)
        return self.scale * np.clip(np.rint(values / self.scale), -top - 1, top)


def activation_grids(network: ReluNetwork, points: Floats, bits: int) -> list[ActivationGrid]:
    """Grid of the input of each layer: one scale a layer, max |a| / (2^(bits-1) - 1).

    Parameters
    ----------
    points
        Inputs of the float network on which activations are seen, shape (points, inputs).

    Raises
    ------
    AtlasError
        If there are fewer than 2 bits, or a layer is given nothing but zeros.
    """
    top = largest_code(bits)
    largest = [float(np.abs(a).max()) for a in run(network, points).inputs]
    for number, value in enumerate(largest, start=1):
        if not value > 0:
            raise AtlasError(
                f"layer {number}: its inputs are all zero on the given points, so that they have "
                "no scale; give other points or other weights"
            )
    return [ActivationGrid(value / top, bits) for value in largest]


def run(network: ReluNetwork, points: Floats) -> Pass:
    """A pass without rounding.

    Raises
    ------
    AtlasError
        If points are not of shape (points, inputs of the network).
    """
    return _run(network, points, [None] * len(network.weights))


def run_rounded(network: ReluNetwork, points: Floats, grids: Sequence[ActivationGrid]) -> Pass:
    """A pass that rounds what each layer is given, the network's own input too.

    Raises
    ------
    AtlasError
        As ``run``, or if there is not one grid for each layer.
    """
    if len(grids) != len(network.weights):
        raise AtlasError(
            f"a network of {len(network.weights)} layers takes as many grids of activations; "
            f"found {len(grids)}"
        )
    return _run(network, points, grids)


def _run(network: ReluNetwork, points: Floats, grids: Sequence[ActivationGrid | None]) -> Pass:
    width = network.weights[0].shape[1]
    if points.ndim != 2 or points.shape[1] != width:
        raise AtlasError(f"points: found shape {points.shape}; the network takes (points, {width})")
    activation = points
    inputs, preactivations = [], []
    for weight, bias, grid in zip(network.weights, network.biases, grids, strict=True):
        given = grid.round(activation) if grid else activation
        inputs.append(given)
        preactivations.append(given @ weight.T + bias)
        activation = np.maximum(preactivations[-1], 0)
    return Pass(tuple(inputs), tuple(preactivations))
