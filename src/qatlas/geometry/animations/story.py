"""The network that all scenes tell of, and the inputs that they draw."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.config.geometry_animations import Animations
from qatlas.config.geometry_correction import Correction
from qatlas.geometry.animations.ready import require_plane, require_rounding
from qatlas.geometry.correction.network import Pass, ReluNetwork, run
from qatlas.geometry.correction.toy import Toy, toy_of
from qatlas.geometry.points import circle

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Story:
    """A network, its quantized twin, and curves of inputs.

    Attributes
    ----------
    toy
        As the figures have it.
    curves
        Lines along both axes of the input square and, last, a circle that is closed: each float64,
        shape (points, 2).
    extent
        Half the side of the input square.
    bits, activation_bits
        Of weights, and of activations where they are rounded.
    seed
        Configured seed; halves of the points are dealt as the figures' are.
    """

    toy: Toy
    curves: tuple[Floats, ...]
    extent: float
    bits: int
    activation_bits: int
    seed: int

    def quantized_share(self, share: float) -> ReluNetwork:
        """The network part of the way to its twin: 0 gives the float weights, 1 the rounded."""
        pairs = zip(self.toy.network.weights, self.toy.quantized.weights, strict=True)
        return ReluNetwork(
            tuple((1 - share) * weight + share * rounded for weight, rounded in pairs),
            self.toy.network.biases,
        )

    def exact(self, points: Floats) -> Pass:
        """The float pass at points of shape (points, 2)."""
        return run(self.toy.network, points)


def story_of(settings: Correction, animations: Animations, seed: int) -> Story:
    """The story that the configuration tells.

    Raises
    ------
    AtlasError
        If there are not two hidden units, rounding changes nothing, or activations have no scale.
    """
    require_plane(settings)
    toy = toy_of(settings)
    require_rounding(toy.network, toy.quantized, settings.bits)
    around = circle(settings.radius, 4 * animations.samples)
    return Story(
        toy,
        (
            *lattice_lines(settings.extent, animations.lines, animations.samples),
            np.concatenate([around, around[:1]]),
        ),
        settings.extent,
        settings.bits,
        settings.activation_bits,
        seed,
    )


def lattice_lines(extent: float, lines: int, samples: int) -> list[Floats]:
    """Lines of a square from -extent to extent, upright ones first, each of shape (samples, 2)."""
    along = np.linspace(-extent, extent, samples)
    upright = [
        np.stack([np.full(samples, place), along], axis=1)
        for place in np.linspace(-extent, extent, lines)
    ]
    return upright + [line[:, ::-1] for line in upright]


def mapped(curves: tuple[Floats, ...], through: Callable[[Floats], Floats]) -> tuple[Floats, ...]:
    """Curves as a map takes their points, each of shape (points, outputs)."""
    ends = np.cumsum([len(curve) for curve in curves])[:-1]
    return tuple(np.split(through(np.concatenate(curves)), ends))
