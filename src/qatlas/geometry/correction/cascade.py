"""The correction that each layer needs, exact and to first order, and its cascade over layers.

With E_l = W_hat_l - W_l and eps_l = a_hat_l - a_l the quantized layer gives
W_hat_l a_hat_{l-1} + b_l = z_l + E_l a_hat_{l-1} + W_l eps_{l-1}, so that
C_l = -E_l a_hat_{l-1} - W_l eps_{l-1} undoes all of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError
from qatlas.geometry.correction.network import ActivationGrid, Pass, ReluNetwork, run

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LayerState:
    """What a correction of one layer may look at.

    Attributes
    ----------
    weight, weight_error
        W_l and E_l, shape (outputs, inputs).
    exact, quantized
        a_{l-1} and a_hat_{l-1}, shape (points, inputs).
    linearised
        eps_{l-1} as the float pass alone predicts it, shape (points, inputs).
    """

    weight: Floats
    weight_error: Floats
    exact: Floats
    quantized: Floats
    linearised: Floats


Correction = Callable[[LayerState], Floats]
"""What is added to a layer's output, shape (points, outputs)."""


def no_correction(state: LayerState) -> Floats:
    """Nothing."""
    return np.zeros((len(state.exact), len(state.weight)))


def exact_correction(state: LayerState) -> Floats:
    """C_l with a_hat of the quantized path: nothing is left."""
    eps = state.quantized - state.exact
    return -state.quantized @ state.weight_error.T - eps @ state.weight.T


def first_order_correction(state: LayerState) -> Floats:
    """C_l with the float a in place of a_hat: E_l eps_{l-1} is left."""
    eps = state.quantized - state.exact
    return -state.exact @ state.weight_error.T - eps @ state.weight.T


def linearised_correction(state: LayerState) -> Floats:
    """C_l from the float pass alone, its eps carried on by weights and the float sign pattern.

    What is left is of second order, and what units do that rounding turned on or off; with rounded
    activations their rounding is left as well, since the float pass does not know it.
    """
    return -state.exact @ state.weight_error.T - state.linearised @ state.weight.T


CORRECTIONS: Mapping[str, Correction] = {
    "exact": exact_correction,
    "first_order": first_order_correction,
    "linearised": linearised_correction,
}
"""Corrections by what they know."""


@dataclass(frozen=True)
class CascadeStep:
    """One layer of a quantized pass with corrections.

    Attributes
    ----------
    correction
        What was added, shape (points, outputs).
    before, after
        Error of the layer's output without and with it, shape (points, outputs).
    """

    correction: Floats
    before: Floats
    after: Floats


def cascade(
    network: ReluNetwork,
    quantized: ReluNetwork,
    points: Floats,
    corrections: Sequence[Correction],
    grids: Sequence[ActivationGrid] = (),
) -> list[CascadeStep]:
    """Walk the quantized network from the first layer to the last, correcting on the way.

    Parameters
    ----------
    points
        Shape (points, inputs).
    corrections
        One a layer.
    grids
        What the input of each layer is rounded to; none where activations are not rounded.

    Raises
    ------
    AtlasError
        If there is not one correction for each layer, or the networks differ in shape.
    """
    layers = len(network.weights)
    if len(corrections) != layers or len(grids) not in (0, layers):
        raise AtlasError(
            f"a network of {layers} layers takes as many corrections, and as many grids of "
            f"activations or none; found {len(corrections)} and {len(grids)}"
        )
    if [w.shape for w in network.weights] != [w.shape for w in quantized.weights]:
        raise AtlasError("cascade: the networks have layers of other shapes; give a network twice")
    exact = run(network, points)
    activation, linearised = points, np.zeros_like(points)
    steps = []
    for layer in range(layers):
        given = grids[layer].round(activation) if grids else activation
        weight, rounded = network.weights[layer], quantized.weights[layer]
        state = LayerState(weight, rounded - weight, exact.inputs[layer], given, linearised)
        correction = corrections[layer](state)
        z = given @ rounded.T + quantized.biases[layer]
        error = z - exact.preactivations[layer]
        steps.append(CascadeStep(correction, error, error + correction))
        activation = np.maximum(z + correction, 0)
        linearised = linearised_error(state, correction, exact, layer)
    return steps


def linearised_error(state: LayerState, correction: Floats, exact: Pass, layer: int) -> Floats:
    """Eps behind a layer to first order, shape (points, outputs), what was added to it included."""
    error = state.exact @ state.weight_error.T + state.linearised @ state.weight.T + correction
    return np.where(exact.preactivations[layer] > 0, error, 0)
