"""How large the errors of many inputs are at most, and in the mean."""

from dataclasses import dataclass
from math import inf

import numpy as np

from qatlas.geometry.experiments.rounding import RoundedLayers
from qatlas.geometry.experiments.transport import Transport, directions, lengths
from qatlas.geometry.sets.shared_directions import largest_norms_along
from qatlas.geometry.sets.zonotope import Floats


def worst_errors(layers: RoundedLayers, by: Transport) -> Floats:
    """Length of the farthest vertex of the region of each input, shape (...); two channels."""
    return largest_norms_along(directions(by), lengths(layers))


@dataclass(frozen=True)
class Magnitudes:
    """How the largest errors of the inputs of a set are spread.

    Attributes
    ----------
    deviation
        Standard deviation over the inputs.
    variation_ratio
        Largest over smallest; infinite where the smallest is 0, missing where both are.
    correlation_l1
        Pearson's, with ||x||_1; missing where either does not vary.
    """

    minimum: float
    maximum: float
    mean: float
    deviation: float
    variation_ratio: float | None
    correlation_l1: float | None


def magnitudes(errors: Floats, inputs: Floats) -> Magnitudes:
    """Statistics of errors, shape (n,), at inputs, shape (n, 2)."""
    smallest, largest = float(errors.min()), float(errors.max())
    ratio = largest / smallest if smallest else (inf if largest else None)
    return Magnitudes(
        minimum=smallest,
        maximum=largest,
        mean=float(errors.mean()),
        deviation=float(errors.std()),
        variation_ratio=ratio,
        correlation_l1=_correlation(errors, np.abs(inputs).sum(axis=1)),
    )


@dataclass(frozen=True)
class LinearFit:
    """y = intercept + slope x by least squares, and the share of y's variance it explains."""

    slope: float
    intercept: float
    r_squared: float | None


def linear_fit(x: Floats, y: Floats) -> LinearFit:
    """Fit of y to x, shape (n,) each; r_squared is missing where y does not vary."""
    columns = np.stack([x, np.ones_like(x)], axis=1)
    slope, intercept = np.linalg.lstsq(columns, y, rcond=None)[0]
    spread = float(((y - y.mean()) ** 2).sum())
    left = float(((y - slope * x - intercept) ** 2).sum())
    return LinearFit(float(slope), float(intercept), 1 - left / spread if spread else None)


def _correlation(one: Floats, other: Floats) -> float | None:
    """Pearson's coefficient; None where either does not vary."""
    a, b = one - one.mean(), other - other.mean()
    lengths = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / lengths if lengths else None
