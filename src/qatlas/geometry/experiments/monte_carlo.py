"""Random weights inside the cell of the rounded ones, held against the region of errors."""

from dataclasses import dataclass, replace

import numpy as np

from qatlas.geometry.experiments.rounding import RoundedLayers
from qatlas.geometry.experiments.transport import Transport, region
from qatlas.geometry.sets.membership import bounding_normals, gauge
from qatlas.geometry.sets.zonotope import Floats, support


@dataclass(frozen=True)
class Trial:
    """What random weights showed.

    Attributes
    ----------
    draws
        Number of draws of all weights.
    inside
        Share of draws whose errors, carried by the rounded weights as those of the region are, lie
        in it; 1 by construction of the region.
    largest_gauge
        How far out in the region the farthest draw is: 1 is on its boundary.
    reached
        Least share, over the region's faces, of the support that weights of the cell reach when
        each is chosen for that face; 1 where the region is no larger than it must be. Missing for
        a region that is a point.
    rms
        Root of the mean squared length of the errors of all draws.
    longest
        Length of the longest of them.
    """

    draws: int
    inside: float
    largest_gauge: float
    reached: float | None
    rms: float
    longest: float


def trial(layers: RoundedLayers, by: Transport, draws: int, random: np.random.Generator) -> Trial:
    """Draw weights uniformly from their cells and hold their errors against the region.

    Parameters
    ----------
    layers
        At one input.
    """
    errors = _carried(layers, by, _deviations(layers, draws, random))
    found = gauge(region(layers, by), errors)
    squares = (errors**2).sum(axis=1)
    return Trial(
        draws=draws,
        inside=float((found <= 1 + 1e-9).mean()),
        largest_gauge=float(found.max()),
        reached=_reached(layers, by),
        rms=float(np.sqrt(squares.mean())),
        longest=float(np.sqrt(squares.max())),
    )


def longest_drawn(
    layers: RoundedLayers, by: Transport, draws: int, random: np.random.Generator
) -> Floats:
    """Length of the longest error of the same drawn weights at each of many inputs, shape (n,).

    Parameters
    ----------
    layers
        At inputs of shape (n, d).
    """
    deviations = _deviations(layers, draws, random)
    found = []
    for entering in layers.entering:
        errors = _carried(replace(layers, entering=entering), by, deviations)
        found.append(float(np.sqrt((errors**2).sum(axis=1).max())))
    return np.array(found)


def farthest_whole_error(
    layers: RoundedLayers, by: Transport, draws: int, random: np.random.Generator
) -> float:
    """Largest gauge of the whole difference between networks of drawn weights and the rounded one.

    In these an error is carried by drawn weights and not by rounded ones, so they differ from the
    errors of the region by products of two errors and may lie outside it by as much.
    """
    deviations = _deviations(layers, draws, random)
    exact = np.tile(layers.entering[0], (draws, 1))
    for number, weight in enumerate(layers.weights):
        exact = np.einsum("nij,nj->ni", weight + deviations[:, number], exact)
    difference = exact - layers.weights[-1] @ layers.entering[-1]
    return float(gauge(region(layers, by), difference @ by.matrices[-1].T).max())


def _deviations(layers: RoundedLayers, draws: int, random: np.random.Generator) -> Floats:
    """Weights minus rounded ones, uniform in their cells, shape (draws, layers, d, d)."""
    uniform: Floats = random.uniform(-1, 1, (draws, *layers.weights.shape))
    return layers.step / 2 * layers.entries * uniform


def _carried(layers: RoundedLayers, by: Transport, deviations: Floats) -> Floats:
    """Errors of deviating weights, shape (draws, d)."""
    added = np.einsum("nlij,lj->nli", deviations, layers.entering)
    carried: Floats = np.einsum("lij,nlj->ni", by.matrices, added)
    return carried


def _reached(layers: RoundedLayers, by: Transport) -> float | None:
    """Of the support in the direction of each face, what the weights chosen for it reach."""
    whole = region(layers, by)
    normals = bounding_normals(whole.generators)
    if not len(normals):
        return None
    seen = np.sign(np.einsum("lij,ni->nlj", by.matrices, normals))
    chosen = seen[..., :, None] * np.sign(layers.entering)[:, None, :]
    errors = _carried(layers, by, layers.step / 2 * layers.entries * chosen)
    return float(((errors * normals).sum(axis=1) / support(whole, normals)).min())
