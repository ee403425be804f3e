"""Metric and topological error, and how much of the energy each has.

An input's error is topological where its hidden sign pattern is not that of the float network;
all other error is metric.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.correction.network import Pass

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Energy:
    """Of an error over some points.

    Attributes
    ----------
    metric, topological
        Sum of |e|^2 over the points of the class.
    topological_points
        Share of points that are topological.
    """

    metric: float
    topological: float
    topological_points: float

    @property
    def total(self) -> float:
        """Sum of |e|^2 over all points."""
        return self.metric + self.topological

    @property
    def topological_share(self) -> float:
        """Of the energy; 0 where there is no error at all."""
        return self.topological / self.total if self.total else 0.0


def topological(exact: Pass, rounded: Pass) -> NDArray[np.bool_]:
    """Which points have another hidden sign pattern, shape (points,)."""
    changed: NDArray[np.bool_] = (exact.pattern != rounded.pattern).any(axis=1)
    return changed


def energy(errors: Floats, is_topological: NDArray[np.bool_]) -> Energy:
    """Energy of errors, shape (points, outputs), by class."""
    squares = (errors**2).sum(axis=1)
    return Energy(
        metric=float(squares[~is_topological].sum()),
        topological=float(squares[is_topological].sum()),
        topological_points=float(is_topological.mean()),
    )
