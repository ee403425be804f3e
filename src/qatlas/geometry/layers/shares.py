"""How much of the error inside an MLP is of units that changed their sign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.models.layers import Layer

Array = NDArray[np.floating[Any]]

# Kinds of the layer whose outputs the activation function takes, and of the one behind it.
_MLPS = (("mlp_gate", "mlp_down"), ("mlp_fc1", "mlp_fc2"))


@dataclass(frozen=True)
class Mlp:
    """The layer whose outputs decide which units are on, and the layer that reads the units."""

    gate: Layer
    down: Layer


@dataclass(frozen=True)
class Shares:
    """Of an MLP's error.

    Attributes
    ----------
    units
        Share of units that changed their sign, over all tokens.
    tokens
        Share of tokens at which at least one did.
    hidden
        Their share of the energy of the error of hidden units.
    output
        Energy of what they do to the MLP's output, over that of both parts, metric and
        topological.
    interference
        2 <metric, topological> at the output over the same: what the parts add or cancel together.
    """

    units: float
    tokens: float
    hidden: float
    output: float
    interference: float


def mlps(layers: Sequence[Layer]) -> Iterator[Mlp]:
    """The MLPs among linear layers, block by block; models without one have none."""
    placed = {(layer.role.layer, layer.role.kind): layer for layer in layers}
    for block in sorted({place for place, _ in placed if place is not None}):
        for gate, down in _MLPS:
            if (block, gate) in placed and (block, down) in placed:
                yield Mlp(placed[block, gate], placed[block, down])


def shares(turned: NDArray[np.bool_], error: Array, weight: Array) -> Shares:
    """Split the error of hidden units into units that kept their sign and units that did not.

    Parameters
    ----------
    turned
        Units whose gate changed its sign, shape (tokens, units).
    error
        Of the hidden units, same shape.
    weight
        Of the layer that reads them, shape (outputs, units).
    """
    metric, topological = np.where(turned, 0, error), np.where(turned, error, 0)
    parts = [part @ weight.T for part in (metric, topological)]
    hidden, both = ([_energy(part) for part in pair] for pair in ((metric, topological), parts))
    return Shares(
        units=float(turned.mean()),
        tokens=float(turned.any(axis=1).mean()),
        hidden=_over(hidden[1], sum(hidden)),
        output=_over(both[1], sum(both)),
        interference=_over(_energy(parts[0] + parts[1]) - sum(both), sum(both)),
    )


def _energy(values: Array) -> float:
    return float((values**2).sum(dtype=np.float64))


def _over(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
