"""One point of the empirical rate-distortion function: Blahut-Arimoto at one slope.

Sources: Blahut 1972, "Computation of channel capacity and rate-distortion functions" (theorems 6
and 7); Arimoto 1972, "An algorithm for computing the capacity of arbitrary discrete memoryless
channels"; Cover & Thomas, "Elements of Information Theory", section 10.8. The lengthened step
is that of Salakhutdinov & Roweis 2003, "Adaptive overrelaxed bound optimization methods":
for squared error Blahut-Arimoto is the EM algorithm of a Gaussian mixture.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.bounds.letters import Letters
from qatlas.errors import AtlasError

_TAPS = 32
"""Grid points in one block of a kernel row; a literal, so that the inner loops are unrolled."""

_GRIDS = ((8, 100), (4, 2000), (2, None))
"""Grid points per deviation of the kernel, and how many letters they may give: finer is cheap
where letters are few. Two points per deviation are one block, 8 deviations to either side."""

_SWEEPS = 100_000
_GAP_BITS = 0.002
_GAP_SHARE = 0.005
_GAP_FLOOR_BITS = 1e-4
_LENGTHEN = 1.3
_LONGEST = 100.0
_LEAST_PROBABILITY = 1e-14

# Sums may be reordered by the compiler (not by threads), so that they use vector registers.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@dataclass(frozen=True)
class SlopePoint:
    """Where a line of a given slope touches the rate-distortion function from below.

    Attributes
    ----------
    slope
        -dR/dD, in nats per squared unit of the source.
    distortion
        Mean squared error of the test channel that was found.
    intercept
        Lower bound on R + slope D over all test channels, in nats: for every D,
        R(D) >= intercept - slope D.
    letters
        Number of source letters after binning.
    """

    slope: float
    distortion: float
    intercept: float
    letters: int

    @property
    def rate_bits(self) -> float:
        """The line's height at ``distortion``, not below 0, in bits."""
        return float(max(0.0, (self.intercept - self.slope * self.distortion) / np.log(2)))


def at_slope(source: Letters, kernel_variance: float) -> SlopePoint:
    """Minimise R + s D over all test channels, s = 1 / (2 kernel_variance).

    The source is binned on a grid whose step is half the deviation sqrt(kernel_variance) of the
    kernel exp(-s d^2), or a quarter or an eighth where that leaves few letters; the reproduction alphabet
    is the grid within 8 deviations of a letter, where the kernel ends (at 1e-14), so that an
    outlier costs one kernel's width; a letter with no other within 2 deviations, which
    would be reproduced alone, is itself in the alphabet in place of its grid point. To so wide a kernel a
    grid looks like the line: its ripple is about exp(-2 pi^2 4).

    What binning hides is put back to second order. With Z(x) the sum over y of q(y)
    exp(-s (x - y)^2), the objective is the mean of -log Z(x), whose second derivative is
    2 s (1 - 2 s Var(y | x)); so a letter of hidden variance v adds v (1 - 2 s Var(y | x))
    to D. At high rate the reproduction follows the letter with Var(y | x) = 1 / (2 s) and
    nothing is added; at low rate it does not and v is.

    Lower bound on R + s D: with c(y) the factor by which a sweep multiplies q(y), Blahut
    subtracts log max c from what is attained. Here each letter subtracts the log of the largest
    c that its own kernel reaches. This satisfies the same constraint of the dual problem
    (the sum over x of p(x) lambda(x) exp(-s d) is at most 1 for every y), and does not charge
    all the weights for what is unfinished in the tails. Sweeps end when it is within 0.002 bit
    of what is attained, and within 0.5 % of the rate or 0.0001 bit.

    Parameters
    ----------
    source
        Letters of any scale.
    kernel_variance
        1 / (2 s) in squared units of the letters: at high rate, the distortion.

    Raises
    ------
    AtlasError
        If 100,000 sweeps do not bring the bounds together.
    """
    for points, most in _GRIDS:
        step, blocks = np.sqrt(kernel_variance) / points, points // 2
        cells, letters = source.binned(step)
        if most is None or cells.size <= most:
            break
    width = _TAPS * blocks
    # Letters further apart than a kernel do not see each other: the empty grid is cut out.
    places = np.zeros(cells.size, np.int64)
    np.cumsum(np.minimum(np.diff(cells), width), out=places[1:])
    gaps = np.diff(cells, prepend=-np.inf, append=np.inf)
    alone = np.minimum(gaps[1:], gaps[:-1]) > 2 * points
    offsets = letters.values - cells * step
    shifts = np.zeros(places[-1] + width)
    shifts[places + width // 2] = np.where(alone, offsets, 0.0)
    slope = 1 / (2 * kernel_variance)
    distances = _distances(places, offsets, shifts, step, blocks)
    kernel = np.exp(-slope * distances**2)
    output, lower, gap_bits = _iterate(letters.masses, places, kernel, distances, slope)
    if output.size == 0:
        raise AtlasError(
            f"Blahut-Arimoto at kernel variance {kernel_variance:.6g} on {cells.size} letters: "
            f"bounds still {gap_bits:.3g} bit apart after {_SWEEPS} sweeps, allowed "
            f"{_GAP_BITS} bit and {_GAP_SHARE:.1%} of the rate; look at the tensor's histogram"
        )
    errors, spreads = _test_channel(places, kernel, distances, output)
    hidden = float(np.dot(letters.masses, letters.variances * (1 - 2 * slope * spreads)))
    distortion = float(np.dot(letters.masses, errors)) + hidden
    return SlopePoint(slope, distortion, lower + slope * hidden, cells.size)


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def _distances(
    places: NDArray[np.int64],
    offsets: NDArray[np.float64],
    shifts: NDArray[np.float64],
    step: float,
    blocks: int,
) -> NDArray[np.float64]:
    """From each letter to the reproductions around it, shape (letters, blocks, taps)."""
    distances = np.empty((places.size, blocks, _TAPS))
    half = blocks * _TAPS // 2
    for letter in range(places.size):
        for block in range(blocks):
            for tap in range(_TAPS):
                j = block * _TAPS + tap
                reproduction = (j - half) * step + shifts[places[letter] + j]
                distances[letter, block, tap] = reproduction - offsets[letter]
    return distances


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def _test_channel(
    places: NDArray[np.int64],
    kernel: NDArray[np.float64],
    distances: NDArray[np.float64],
    output: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean squared error and variance of the reproduction of each letter."""
    errors = np.empty(places.size)
    spreads = np.empty(places.size)
    for letter in range(places.size):
        mass = 0.0
        moment = 0.0
        error = 0.0
        for block in range(kernel.shape[1]):
            first = places[letter] + block * _TAPS
            for tap in range(_TAPS):
                d = distances[letter, block, tap]
                joint = output[first + tap] * kernel[letter, block, tap]
                mass += joint
                moment += joint * d
                error += joint * d * d
        errors[letter] = error / mass
        spreads[letter] = error / mass - (moment / mass) ** 2
    return errors, spreads


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def _sweep(
    masses: NDArray[np.float64],
    places: NDArray[np.int64],
    kernel: NDArray[np.float64],
    output: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> float:
    """One Blahut-Arimoto sweep: fill ``factors`` (Blahut's c) and return R + s D in nats."""
    attained = 0.0
    factors[:] = 0.0
    for letter in range(places.size):
        likelihood = 0.0
        for block in range(kernel.shape[1]):
            first = places[letter] + block * _TAPS
            row = kernel[letter, block]
            near = output[first : first + _TAPS]
            for tap in range(_TAPS):
                likelihood += near[tap] * row[tap]
        attained -= masses[letter] * np.log(likelihood)
        ratio = masses[letter] / likelihood
        for block in range(kernel.shape[1]):
            first = places[letter] + block * _TAPS
            row = kernel[letter, block]
            into = factors[first : first + _TAPS]
            for tap in range(_TAPS):
                into[tap] += ratio * row[tap]
    return attained


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def _excess(
    masses: NDArray[np.float64],
    places: NDArray[np.int64],
    width: int,
    factors: NDArray[np.float64],
) -> float:
    """What the lower bound lacks of the attained R + s D, in nats."""
    excess = 0.0
    for letter in range(places.size):
        largest = 0.0
        for j in range(places[letter], places[letter] + width):
            largest = max(largest, factors[j])
        excess += masses[letter] * np.log(largest)
    return excess


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def _iterate(
    masses: NDArray[np.float64],
    places: NDArray[np.int64],
    kernel: NDArray[np.float64],
    distances: NDArray[np.float64],
    slope: float,
) -> tuple[NDArray[np.float64], float, float]:
    """Output distribution (empty at the cap), lower bound on R + s D (nats), last gap (bits).

    From a flat output distribution, whose first sweep is the smoothed source. Steps
    q c^exponent grow while R + s D falls; one that raised it is taken back and done plainly.
    """
    width = kernel.shape[1] * _TAPS
    size = places[-1] + width
    output = np.full(size, 1.0 / size)
    factors = np.empty(size)
    safe = output.copy()
    exponent = 1.0
    best = np.inf
    lower = -np.inf
    gap_bits = np.inf
    for sweep in range(_SWEEPS):
        attained = _sweep(masses, places, kernel, output, factors)
        if exponent > 1.0 and not attained <= best + 1e-12:
            exponent = 1.0
            output[:] = safe
            continue
        best = attained
        if sweep < 4 or sweep % 4 == 0:
            lower = max(lower, attained - _excess(masses, places, width, factors))
            gap_bits = (attained - lower) / np.log(2.0)
            if gap_bits <= _GAP_BITS:
                errors, _ = _test_channel(places, kernel, distances, output)
                rate_bits = (attained - slope * np.sum(masses * errors)) / np.log(2.0)
                if gap_bits <= max(_GAP_FLOOR_BITS, _GAP_SHARE * rate_bits):
                    return output, lower, gap_bits
        exponent = min(_LONGEST, _LENGTHEN * exponent)
        total = 0.0
        for j in range(output.size):
            safe[j] = output[j] * factors[j]
            output[j] = max(_LEAST_PROBABILITY, output[j] * factors[j] ** exponent)
            total += output[j]
        for j in range(output.size):
            output[j] /= total
    return np.empty(0), lower, gap_bits
