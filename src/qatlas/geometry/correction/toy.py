"""The network of a study beside its quantized twin, and the inputs at which they are compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.config.geometry_correction import Correction
from qatlas.geometry.correction.network import (
    ActivationGrid,
    Pass,
    ReluNetwork,
    activation_grids,
    run,
    run_rounded,
)
from qatlas.geometry.correction.partition import FirstLayer
from qatlas.geometry.points import circle, grid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Toy:
    """A network and its quantized twin.

    Attributes
    ----------
    inputs
        Points of shape (points, 2) by the name of the set: ``grid`` and ``circle``.
    grids
        What each layer's input is rounded to, by the name of the quantization; none where it is
        not.
    """

    network: ReluNetwork
    quantized: ReluNetwork
    inputs: Mapping[str, Floats]
    grids: Mapping[str, list[ActivationGrid]]

    def rounded(self, quantization: str, points: Floats) -> Pass:
        """The quantized pass at points of shape (points, 2)."""
        grids = self.grids[quantization]
        return run_rounded(self.quantized, points, grids) if grids else run(self.quantized, points)

    def passes(self) -> Iterator[tuple[dict[str, str], Pass, Pass]]:
        """Columns that name inputs and quantization, the float and the quantized pass."""
        for name, points in self.inputs.items():
            exact = run(self.network, points)
            for quantization in self.grids:
                named = {"inputs": name, "quantization": quantization}
                yield named, exact, self.rounded(quantization, points)


def toy_of(settings: Correction) -> Toy:
    """The network that the configuration describes; its activations are scaled on the grid."""
    network = ReluNetwork.of(
        (settings.weight_1, settings.weight_2), (settings.bias_1, settings.bias_2)
    )
    lattice = grid(settings.extent, settings.grid_side)
    return Toy(
        network,
        network.on_grid(settings.bits),
        {"grid": lattice, "circle": circle(settings.radius, settings.circle_points)},
        {
            "weights": [],
            "weights_and_activations": activation_grids(network, lattice, settings.activation_bits),
        },
    )


def first_layer(network: ReluNetwork) -> FirstLayer:
    """The half-planes in which its first hidden units are on."""
    return FirstLayer(network.weights[0], network.biases[0])
