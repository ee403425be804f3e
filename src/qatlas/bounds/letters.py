"""A memoryless source on a grid: letters, their probabilities, and what a letter hides."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Letters:
    """A source's letters; each may stand for several close values.

    Attributes
    ----------
    values
        Mean of the values a letter stands for, float64, shape (n,), strictly increasing.
    masses
        Probabilities, float64, shape (n,), positive, of sum 1.
    variances
        Variance of the values a letter stands for, float64, shape (n,).
    """

    values: NDArray[np.float64]
    masses: NDArray[np.float64]
    variances: NDArray[np.float64]

    def binned(self, step: float) -> tuple[NDArray[np.int64], "Letters"]:
        """Join the letters that round to the same multiple of ``step``.

        Returns
        -------
        tuple[NDArray[np.int64], Letters]
            The occupied multiples, shape (n,), increasing, and a letter for each. Mean and
            variance of the whole source stay what they were.
        """
        cells, *columns = _binned(self.values, self.masses, self.variances, step)
        return cells, Letters(*columns)


@numba.njit(cache=True)
def _binned(
    values: NDArray[np.float64],
    masses: NDArray[np.float64],
    variances: NDArray[np.float64],
    step: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    per_unit = 1.0 / step
    occupied = 0
    previous = np.inf
    for i in range(values.size):
        cell = np.floor(values[i] * per_unit + 0.5)
        occupied += cell != previous
        previous = cell
    cells = np.empty(occupied, np.int64)
    total = np.zeros(occupied)
    # Moments about the grid point: about 0 they would cancel far from it.
    first = np.zeros(occupied)
    second = np.zeros(occupied)
    letter = -1
    previous = np.inf
    for i in range(values.size):
        cell = np.floor(values[i] * per_unit + 0.5)
        if cell != previous:
            letter += 1
            cells[letter] = np.int64(cell)
            previous = cell
        offset = values[i] - cell * step
        total[letter] += masses[i]
        first[letter] += masses[i] * offset
        second[letter] += masses[i] * (variances[i] + offset * offset)
    means = np.empty(occupied)
    for letter in range(occupied):
        offset = first[letter] / total[letter]
        means[letter] = cells[letter] * step + offset
        second[letter] = max(0.0, second[letter] / total[letter] - offset * offset)
    return cells, means, total, second
