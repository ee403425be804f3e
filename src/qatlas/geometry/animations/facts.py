"""What the scenes show, in numbers: the same functions and the same halves as the figures'."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.animations.story import Story, mapped
from qatlas.geometry.correction.cascade import (
    CORRECTIONS,
    CascadeStep,
    Correction,
    cascade,
    no_correction,
)
from qatlas.geometry.correction.energy import Energy, energy, topological
from qatlas.geometry.correction.ladder import Residual, correct, residuals
from qatlas.geometry.correction.network import ReluNetwork
from qatlas.geometry.correction.partition import Cell, cells, changed_area, square
from qatlas.geometry.correction.toy import first_layer
from qatlas.geometry.transport import fit_full, halves, rms
from qatlas.seeds import generator

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """The affine map y = A x + c that a ReLU network of one hidden layer is within a cell.

    Attributes
    ----------
    cell
        Where, both its patterns the network's own.
    matrix, offset
        A, shape (outputs, 2), and c, shape (outputs,).
    """

    cell: Cell
    matrix: Floats
    offset: Floats


def affine_pieces(network: ReluNetwork, extent: float) -> list[Piece]:
    """Every cell of the input square and the map within it: A = W2 diag(on) W1."""
    (first, second), (bias, last_bias) = network.weights, network.biases
    layer = first_layer(network)
    return [
        Piece(cell, gated @ first, gated @ bias + last_bias)
        for cell in cells(layer, layer, square(extent))
        for gated in [second * cell.before]
    ]


@dataclass(frozen=True)
class Shift:
    """The partition of the float network beside that of another one.

    Attributes
    ----------
    parts
        Cells of both.
    changed_share
        Of the area of the input square.
    """

    parts: list[Cell]
    changed_share: float


def partition_shift(story: Story, share: float) -> Shift:
    """How far the partition has moved when weights are part of the way to the rounded ones."""
    before = first_layer(story.toy.network)
    parts = cells(before, first_layer(story.quantized_share(share)), square(story.extent))
    return Shift(parts, changed_area(parts) / (4 * story.extent**2))


@dataclass(frozen=True)
class Distortion:
    """Curves of inputs as both networks map them, each of shape (points, 2).

    Attributes
    ----------
    rms
        Error of the output over the points of the grid.
    """

    exact: tuple[Floats, ...]
    quantized: tuple[Floats, ...]
    rms: float


def distortion(story: Story, quantization: str) -> Distortion:
    """What the outputs of the drawn curves become."""
    grid = story.toy.inputs["grid"]
    error = story.toy.rounded(quantization, grid).output - story.exact(grid).output
    return Distortion(
        mapped(story.curves, lambda points: story.exact(points).output),
        mapped(story.curves, lambda points: story.toy.rounded(quantization, points).output),
        rms(error),
    )


def rounded_inputs(story: Story, points: Floats) -> Floats:
    """Inputs, shape (points, 2), where the grid of the first layer's activations takes them."""
    return story.toy.rounded("weights_and_activations", points).inputs[0]


@dataclass(frozen=True)
class Alignment:
    """What the hidden units give, and what the best affine map makes of it.

    Attributes
    ----------
    exact, quantized, aligned
        Curves of activations, each of shape (points, units).
    raw_rms, aligned_rms
        Distance to the float activations over held-out points of the grid.
    """

    exact: tuple[Floats, ...]
    quantized: tuple[Floats, ...]
    aligned: tuple[Floats, ...]
    raw_rms: float
    aligned_rms: float

    @property
    def left(self) -> float:
        """Share of the energy of the raw distance that the map leaves; 0 where there is none."""
        return (self.aligned_rms / self.raw_rms) ** 2 if self.raw_rms else 0.0


def alignment(story: Story) -> Alignment:
    """Raw and aligned distance behind the first layer, weights alone rounded."""
    grid = story.toy.inputs["grid"]

    def hidden(points: Floats) -> Floats:
        return np.maximum(story.exact(points).preactivations[0], 0)

    def quantized(points: Floats) -> Floats:
        return np.maximum(story.toy.rounded("weights", points).preactivations[0], 0)

    fit, test = halves(len(grid), generator(story.seed, "toy", "grid", "weights", "alignment"))
    a, a_hat = hidden(grid), quantized(grid)
    carry = fit_full(a_hat[fit], a[fit])
    return Alignment(
        mapped(story.curves, hidden),
        mapped(story.curves, quantized),
        mapped(story.curves, lambda points: carry(quantized(points))),
        rms(a_hat[test] - a[test]),
        rms(carry(a_hat[test]) - a[test]),
    )


def thinned(points: Floats, closer: NDArray[np.bool_], most: int = 31) -> NDArray[np.bool_]:
    """Points of a lattice at equal steps, at most so many along a side; some points twice as close.

    Parameters
    ----------
    points
        Shape (points, 2).
    closer
        Which points are kept at half the step, shape (points,).
    most
        Along a side, of the others.
    """
    places = np.stack([np.unique(axis.round(9), return_inverse=True)[1] for axis in points.T])
    step = -(-(places.max(initial=0) + 1) // most)
    coarse: NDArray[np.bool_] = (places % step == 0).all(axis=0)
    fine: NDArray[np.bool_] = (places % max(step // 2, 1) == 0).all(axis=0)
    return np.where(closer, fine, coarse)


@dataclass(frozen=True)
class Decomposition:
    """Errors over the inputs of the grid, by class.

    Attributes
    ----------
    points, errors
        Shape (points, 2).
    is_topological
        Shape (points,).
    energy
        Of each class.
    """

    points: Floats
    errors: Floats
    is_topological: NDArray[np.bool_]
    energy: Energy


def decomposition(story: Story, quantization: str, inputs: str = "grid") -> Decomposition:
    """Metric and topological error of one quantization over one set of inputs."""
    points = story.toy.inputs[inputs]
    exact, quantized = story.exact(points), story.toy.rounded(quantization, points)
    errors, changed = quantized.output - exact.output, topological(exact, quantized)
    return Decomposition(points, errors, changed, energy(errors, changed))


@dataclass(frozen=True)
class Transport:
    """Output errors before and after the full affine map, over held-out points of the grid.

    Attributes
    ----------
    aligned
        The drawn curves as the rounded network and then the map take them.
    points, is_topological
        Held-out inputs, shape (points, 2), and their classes.
    before, after
        Errors, shape (points, 2).
    left
        What every correction leaves, by correction and class.
    """

    aligned: tuple[Floats, ...]
    points: Floats
    is_topological: NDArray[np.bool_]
    before: Floats
    after: Floats
    left: dict[tuple[str, str], Residual]


def transport(story: Story, quantization: str) -> Transport:
    """What an affine map of the output undoes, and what remains."""
    grid = story.toy.inputs["grid"]
    exact, quantized = story.exact(grid), story.toy.rounded(quantization, grid)
    names = ("toy", "grid", quantization, "correction")
    corrected = correct(exact, quantized, generator(story.seed, *names))
    fit, _ = halves(len(grid), generator(story.seed, *names))
    carry = fit_full(quantized.output[fit], exact.output[fit])
    return Transport(
        mapped(story.curves, lambda x: carry(story.toy.rounded(quantization, x).output)),
        grid[corrected.test],
        corrected.is_topological,
        corrected.residuals["none"],
        corrected.residuals["full"],
        {(found.rung, found.points_of): found for found in residuals(corrected)},
    )


def cascade_of(story: Story, points: Floats, corrections: tuple[str, ...]) -> list[CascadeStep]:
    """The quantized pass at points of shape (points, 2), a correction a layer, "none" for none."""
    known: dict[str, Correction] = {"none": no_correction, **CORRECTIONS}
    return cascade(
        story.toy.network, story.toy.quantized, points, [known[name] for name in corrections]
    )


def float_curves(story: Story, layer: int) -> tuple[Floats, ...]:
    """The drawn curves as the float network has them behind a layer (from 0)."""
    return mapped(story.curves, lambda points: story.exact(points).preactivations[layer])


def cascade_curves(story: Story, layer: int, corrections: tuple[str, ...]) -> tuple[Floats, ...]:
    """The drawn curves behind a layer (from 0), its own correction included."""

    def through(points: Floats) -> Floats:
        exact = story.exact(points).preactivations[layer]
        return exact + cascade_of(story, points, corrections)[layer].after

    return mapped(story.curves, through)


def cascade_rms(story: Story, corrections: tuple[str, ...]) -> float:
    """Error of the output over the grid that corrections leave."""
    return rms(cascade_of(story, story.toy.inputs["grid"], corrections)[-1].after)
