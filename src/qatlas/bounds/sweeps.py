"""Blahut-Arimoto sweeps over a banded kernel, compiled.

A sweep is a step of mirror descent in log q, here with momentum and restarts: O'Donoghue & Candes
2015, "Adaptive restart for accelerated gradient schemes". Letter i sees the reproductions
``places[i]`` to ``places[i] + blocks * TAPS``, in the middle its own; ``kernel`` and
``distances`` have shape (letters, blocks, TAPS). All sums are sequential float64.
"""

import numba
import numpy as np
from numpy.typing import NDArray

TAPS = 32
"""Reproductions in one block of a kernel row; a literal, so that the inner loops are unrolled."""

GAP_BITS = 0.002
GAP_SHARE = 0.005
_GAP_FLOOR_BITS = 1e-4

_LAG = 3.0
"""Momentum is age / (age + lag), Nesterov's; age counts sweeps since the last restart."""

_ROUNDING = 1e-9
"""Nats by which R + s D may seem to rise without a restart."""

_LEAST_PROBABILITY = 1e-14
"""No output probability falls lower, so that what was ruled out too early can come back."""

_LEAST_FACTOR = 1e-100

# Sums may be reordered by the compiler (not by threads), so that they use vector registers.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def distances_to_reproductions(
    places: NDArray[np.int64],
    shifts: NDArray[np.float64],
    step: float,
    blocks: int,
) -> NDArray[np.float64]:
    """From each letter to the reproductions around it, shape (letters, blocks, taps)."""
    distances = np.empty((places.size, blocks, TAPS))
    half = blocks * TAPS // 2
    for letter in range(places.size):
        first = places[letter]
        for block in range(blocks):
            for tap in range(TAPS):
                j = block * TAPS + tap
                apart = (j - half) * step + shifts[first + j] - shifts[first + half]
                distances[letter, block, tap] = apart
    return distances


@numba.njit(cache=True, error_model="numpy", fastmath=_FAST)
def channel_moments(
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
            first = places[letter] + block * TAPS
            for tap in range(TAPS):
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
            first = places[letter] + block * TAPS
            row = kernel[letter, block]
            near = output[first : first + TAPS]
            for tap in range(TAPS):
                likelihood += near[tap] * row[tap]
        attained -= masses[letter] * np.log(likelihood)
        ratio = masses[letter] / likelihood
        for block in range(kernel.shape[1]):
            first = places[letter] + block * TAPS
            row = kernel[letter, block]
            into = factors[first : first + TAPS]
            for tap in range(TAPS):
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
def iterate(
    masses: NDArray[np.float64],
    places: NDArray[np.int64],
    kernel: NDArray[np.float64],
    distances: NDArray[np.float64],
    slope: float,
    sweeps: int,
) -> tuple[NDArray[np.float64], float, float]:
    """Output distribution (empty at the cap), lower bound on R + s D (nats), last gap (bits).

    From a flat output distribution, whose first sweep is the smoothed source. A step that
    raised R + s D is taken back, and the plain sweep's result used.
    """
    width = kernel.shape[1] * TAPS
    size = places[-1] + width
    output = np.full(size, 1.0 / size)
    factors = np.empty(size)
    safe = output.copy()
    velocity = np.zeros(size)
    age = 0
    best = np.inf
    lower = -np.inf
    gap_bits = np.inf
    for sweep in range(sweeps):
        attained = _sweep(masses, places, kernel, output, factors)
        if age > 0 and not attained <= best + _ROUNDING:
            age = 0
            velocity[:] = 0.0
            # One by one: what numba makes of the copy of a slice takes two seconds to compile.
            for j in range(size):
                output[j] = safe[j]
            continue
        best = attained
        if sweep < 4 or sweep % 4 == 0:
            lower = max(lower, attained - _excess(masses, places, width, factors))
            gap_bits = (attained - lower) / np.log(2.0)
            if gap_bits <= GAP_BITS:
                errors, _ = channel_moments(places, kernel, distances, output)
                rate_bits = (attained - slope * np.sum(masses * errors)) / np.log(2.0)
                if gap_bits <= max(_GAP_FLOOR_BITS, GAP_SHARE * rate_bits):
                    return output, lower, gap_bits
        momentum = age / (age + _LAG)
        age += 1
        total = 0.0
        for j in range(output.size):
            safe[j] = max(_LEAST_PROBABILITY, output[j] * factors[j])
            velocity[j] = momentum * velocity[j] + np.log(max(factors[j], _LEAST_FACTOR))
            output[j] = max(_LEAST_PROBABILITY, output[j] * np.exp(velocity[j]))
            total += output[j]
        for j in range(output.size):
            output[j] /= total
    return np.empty(0), lower, gap_bits
