"""The binary Golay code, the Leech lattice built on it, and the nearest point of that lattice.

In integer coordinates (times the square root of 8) a point of the Leech lattice is
m + 2 c + 4 z: m is 0 or 1 in every coordinate, c a word of the Golay code and z an integer
vector whose sum has the parity of m (Conway & Sloane, "Sphere Packings, Lattices and Groups",
chapter 4, section 11). The lattice is thus 8,192 shifted copies of 4 D24.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

DIMENSION = 24
_SLICE = 64


def _extended_hamming(generator: int) -> NDArray[np.int64]:
    """The 16 words of a cyclic [7, 4] code, each extended by its parity, as bytes."""
    words = []
    for message in range(16):
        word = 0
        for bit in range(4):
            word ^= (message >> bit & 1) * generator << bit
        words.append(word | (word.bit_count() & 1) << 7)
    return np.array(words)


_STRAIGHT = _extended_hamming(0b1011)
_REVERSED = _extended_hamming(0b1101)
_EVEN_BYTES = np.array([byte for byte in range(256) if not byte.bit_count() & 1])


def golay_words() -> NDArray[np.uint8]:
    """The 4,096 words of the extended binary Golay code, uint8 of 0 and 1, shape (4096, 24).

    Turyn's construction (a + x, b + x, a + b + x) of two versions of the extended Hamming code.
    """
    a, b, x = (axis.reshape(-1) for axis in np.meshgrid(_STRAIGHT, _STRAIGHT, _REVERSED))
    thirds = np.stack([a ^ x, b ^ x, a ^ b ^ x], 1).astype(np.uint8)
    return np.unpackbits(thirds, axis=1, bitorder="little")


def leech_generator() -> NDArray[np.int64]:
    """Vectors that span the Leech lattice, in integer coordinates, shape (vectors, 24)."""
    words = golay_words().astype(np.int64)
    doubled = 2 * words[words.sum(1) == 8]
    pairs = 4 * (np.eye(DIMENSION, dtype=np.int64)[1:] - np.eye(DIMENSION, dtype=np.int64)[:-1])
    odd = np.ones((1, DIMENSION), np.int64)
    odd[0, 0] = -3
    eight = np.zeros((1, DIMENSION), np.int64)
    eight[0, 0] = 8
    return np.concatenate([odd, doubled, pairs, eight])


def nearest_in_leech_plain(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nearest Leech point by going through all 8,192 cosets; the form to check against.

    Parameters
    ----------
    vectors
        Float64, shape (n, 24), in integer coordinates.
    """
    words = golay_words()
    nearest = np.empty(vectors.shape, np.int64)
    for first in range(0, len(vectors), _SLICE):
        part = vectors[first : first + _SLICE]
        least = np.full(len(part), np.inf)
        for m in (0, 1):
            quarters = (part[:, None, :] - m - 2.0 * words) / 4
            z = np.rint(quarters)
            off = quarters - z
            farthest = np.abs(off).argmax(2)[:, :, None]
            reach = np.take_along_axis(off, farthest, 2)
            repair = (z.sum(2) % 2 != m)[:, :, None]
            turn = np.where(reach < 0, -1.0, 1.0) * repair
            np.put_along_axis(z, farthest, np.take_along_axis(z, farthest, 2) + turn, 2)
            error = ((quarters - z) ** 2).sum(2)
            word = error.argmin(1)
            rows = np.arange(len(part))
            better = error[rows, word] < least
            points = m + 2 * words[word].astype(np.int64) + 4 * z[rows, word].astype(np.int64)
            nearest[first : first + _SLICE][better] = points[better]
            least = np.minimum(least, error[rows, word])
    return nearest


def nearest_in_leech(vectors: NDArray[np.float64], points: NDArray[np.int64]) -> None:
    """Write the nearest Leech point of each vector into ``points``, both of shape (n, 24).

    Exact: the cost of each third of a word is tabulated, and Turyn's construction is searched
    with bounds from these tables, so that few of the 8,192 cosets are visited.
    """
    _nearest(vectors, _STRAIGHT, _REVERSED, _EVEN_BYTES, points)


@numba.njit(cache=True)
def _nearest(vectors: Any, straight: Any, reversed_: Any, even: Any, points: Any) -> None:
    # Of coordinate i, bit c: squared distance, distance and parity of the nearest z, in quarters.
    cost, off, parity = np.empty((24, 2)), np.empty((24, 2)), np.empty((24, 2), np.uint8)
    # Of half a byte, and of each third of a word: the sum, the largest and the sum modulo 2.
    half_cost, half_off = np.empty((2, 16)), np.empty((2, 16))
    half_parity = np.empty((2, 16), np.uint8)
    costs, offs, parities = np.empty((3, 256)), np.empty((3, 256)), np.empty((3, 256), np.uint8)
    for n in range(len(vectors)):
        least, best = np.inf, (0, 0, 0, 0)
        for m in range(2):
            for i in range(24):
                for c in range(2):
                    quarter = (vectors[n, i] - m - 2 * c) * 0.25
                    z = np.rint(quarter)
                    off[i, c] = abs(quarter - z)
                    cost[i, c] = off[i, c] * off[i, c]
                    parity[i, c] = np.int64(z) & 1
            for third in range(3):
                for half in range(2):
                    first = 8 * third + 4 * half
                    for word in range(16):
                        total, largest, odd = 0.0, 0.0, 0
                        for i in range(4):
                            c = word >> i & 1
                            total += cost[first + i, c]
                            largest = max(largest, off[first + i, c])
                            odd ^= parity[first + i, c]
                        half_cost[half, word] = total
                        half_off[half, word] = largest
                        half_parity[half, word] = odd
                for byte in even:
                    low, high = byte & 15, byte >> 4
                    costs[third, byte] = half_cost[0, low] + half_cost[1, high]
                    offs[third, byte] = max(half_off[0, low], half_off[1, high])
                    parities[third, byte] = half_parity[0, low] ^ half_parity[1, high]
            for x in reversed_:
                least_second, least_third = np.inf, np.inf
                for b in straight:
                    least_second = min(least_second, costs[1, b ^ x])
                    least_third = min(least_third, costs[2, b ^ x])
                for a in straight:
                    if costs[0, a ^ x] + least_second + least_third >= least:
                        continue
                    for b in straight:
                        one, two, three = a ^ x, b ^ x, a ^ b ^ x
                        error = costs[0, one] + costs[1, two] + costs[2, three]
                        if error >= least:
                            continue
                        if parities[0, one] ^ parities[1, two] ^ parities[2, three] != m:
                            # One coordinate, the one farthest off, goes to the next z.
                            reach = max(offs[0, one], offs[1, two], offs[2, three])
                            error += 1 - 2 * reach
                        if error < least:
                            least, best = error, (m, one, two, three)
        _point(vectors[n], best, points[n])


@numba.njit(cache=True)
def _point(vector: Any, coset: Any, point: Any) -> None:
    """Nearest point to a vector in one coset (m, and the three bytes of the word)."""
    m = coset[0]
    farthest, reach, turn, odd = 0, -1.0, 0, m
    for i in range(24):
        byte = coset[1] if i < 8 else coset[2] if i < 16 else coset[3]
        origin = m + 2 * (byte >> (i & 7) & 1)
        quarter = (vector[i] - origin) * 0.25
        z = np.rint(quarter)
        point[i] = origin + 4 * np.int64(z)
        odd ^= int(z) & 1
        if abs(quarter - z) > reach:
            farthest, reach = i, abs(quarter - z)
            turn = -4 if quarter < z else 4
    if odd:
        point[farthest] += turn
