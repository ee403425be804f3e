"""How a cost grows with a size: the line through both, and the power of one in the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Growth:
    """A cost against a size, by least squares.

    Attributes
    ----------
    slope, intercept
        Of the line: cost for one more of the size, and what is spent at none.
    r_squared
        Share of the costs' variance that the line explains; 1 where all lie on it.
    exponent
        Of the power law, the slope of log cost in log size: 1 for proportional growth, below
        where a fixed cost is added, above where large sizes cost more than their share.
    """

    slope: float
    intercept: float
    r_squared: float
    exponent: float

    def at(self, size: float) -> float:
        """Cost of a size on the line."""
        return self.intercept + self.slope * size


def growth(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Fit both laws.

    Parameters
    ----------
    sizes, costs
        As many of each, positive, at least three, not all of one size.

    Raises
    ------
    ValueError
        If they are not.
    """
    x, y = np.asarray(sizes, float), np.asarray(costs, float)
    if x.size != y.size or x.size < 3 or np.unique(x).size < 2 or (x <= 0).any() or (y <= 0).any():
        raise ValueError(f"no growth can be fitted to sizes {list(sizes)} and costs {list(costs)}")
    slope, intercept = np.polyfit(x, y, 1)
    rest = np.square(y - intercept - slope * x).sum()
    spread = np.square(y - y.mean()).sum()
    exponent = np.polyfit(np.log(x), np.log(y), 1)[0]
    r_squared = 1 - rest / spread if spread else 1.0
    return Growth(float(slope), float(intercept), float(r_squared), float(exponent))
