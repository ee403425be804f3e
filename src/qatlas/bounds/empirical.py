"""The empirical rate-distortion function: the limit for a tensor's own weights, without memory.

R(D) is the least mutual information between a weight drawn at random from the tensor and a
reproduction of it with mean squared error D (Shannon 1959; Cover & Thomas, "Elements of
Information Theory", theorem 10.2.1), computed by the algorithm of Blahut 1972 and Arimoto 1972.
The source is memoryless: the histogram of the weights is known, their places are not. No codec
can lie below it on independent draws; on a real tensor one that uses structure
(channel scales, blocks) can, and that is a finding about the tensor.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.bounds.blahut_arimoto import SlopePoint, at_slope
from qatlas.bounds.letters import Letters
from qatlas.distinct import Distinct
from qatlas.errors import AtlasError

_LARGEST_NMSE = 0.98
_SMALLEST_NMSE = 2.0**-20
_FINEST_COARSE = _SMALLEST_NMSE / 2
"""Kernels of this variance and more see a source binned once, a 32nd of a deviation fine."""

_ENOUGH_BITS = 9.5
_ENOUGH_LETTERS = 1 << 14
_ENTROPY_BITS = 0.004
_DEEPEST_NMSE = 2.0**-80
_CHORD_BITS = 0.003
_CHORD_SHARE = 0.005
_CHORD_FLOOR_BITS = 2e-4
_CLOSEST_SLOPES = 1.1
_SHANNON_TIGHT = 0.02

Solve = Callable[[float], SlopePoint]


@dataclass(frozen=True)
class RateDistortionCurve:
    """Points of a rate-distortion function, convex and falling.

    Attributes
    ----------
    distortion
        Mean squared errors, float64, shape (n,), strictly increasing up to the source's
        variance. Starts at 0 where the curve was followed to the source's entropy.
    rate_bits
        Bits per weight at each, float64, shape (n,), not increasing, 0 at the variance.
    """

    distortion: NDArray[np.float64]
    rate_bits: NDArray[np.float64]

    def rate_at(self, distortion: ArrayLike) -> NDArray[np.float64]:
        """Rate at any mean squared error, in bits per weight.

        Linear in log2 D between points (in D from D = 0 to the next), 0 from the variance on,
        and NaN below the smallest distortion that was computed: nothing is extrapolated.

        Parameters
        ----------
        distortion
            Mean squared error, not normalised, any shape.

        Returns
        -------
        NDArray[np.float64]
            Same shape.
        """
        wanted = np.asarray(distortion, np.float64)
        positive = self.distortion > 0
        known, rates = self.distortion[positive], self.rate_bits[positive]
        if known.size == 0:
            return np.where(wanted >= 0, 0.0, np.nan)
        below = wanted < known[0]
        inside = np.where(below, known[0], wanted)
        logarithmic = np.interp(np.log2(inside), np.log2(known), rates)
        linear = np.interp(wanted, self.distortion, self.rate_bits)
        return np.where(below, np.where(wanted >= self.distortion[0], linear, np.nan), logarithmic)


def rate_distortion_curve(source: Distinct) -> RateDistortionCurve:
    """Empirical rate-distortion function of a tensor for squared error.

    Slopes go in steps of a factor 4 (one bit at high rate) from a normalised error of 0.98
    down to 2^-20 and on to 9.5 bits, or to 16,384 source letters, or 2^-80; or until the rate is
    within 0.004 bit of the source's entropy, where the curve of a discrete source ends:
    a point at D = 0 closes it. Slopes are added between two while a chord in log2 D might
    be off by more than 0.003 bit and 0.5 % of the rate (but not 0.0002 bit), or is longer than
    half a bit where Shannon's lower bound is not tight; but not between slopes within 10 %.

    Each slope gives a line below R(D) that comes within 0.002 bit and 0.5 % of it (or 0.0001 bit;
    ``at_slope``). The rate at each distortion is the highest of all the lines there, so the
    computed points are a lower bound, falling and convex. That is for the source binned as
    ``at_slope`` describes; what binning changes is smaller than these tolerances for
    smooth densities and for few letters. Where few letters form clusters R(D) has steps, over
    which a chord may be off by 0.006 bit.

    Parameters
    ----------
    source
        The tensor's distinct values and counts, not empty.

    Raises
    ------
    AtlasError
        If the source has no values or one that is not finite, or a slope does not converge.
    """
    if source.values.size == 0 or not np.isfinite(source.values).all():
        raise AtlasError(
            f"rate-distortion curve: found {source.values.size} distinct values, "
            "allowed: at least one, all finite; look for NaN or Inf in the tensor"
        )
    masses = source.counts / source.total
    # Not np.dot: the order of its sums depends on the number of threads.
    centred = source.values - np.sum(masses * source.values)
    variance = float(np.sum(masses * centred**2))
    if source.values.size == 1:
        return RateDistortionCurve(np.zeros(1), np.zeros(1))
    if not np.finfo(np.float64).tiny < variance < np.inf:
        raise AtlasError(
            f"rate-distortion curve: found weights of variance {variance:.3g}, allowed: what "
            "float64 can square; scale the tensor"
        )
    unit = centred / np.sqrt(variance)
    entropy_bits = float(-np.sum(masses * np.log2(masses)))
    raw = Letters(unit, masses, np.zeros(unit.size))
    _, coarse = raw.binned(np.sqrt(_FINEST_COARSE) / 32)

    def solve(kernel_variance: float) -> SlopePoint:
        return at_slope(coarse if kernel_variance >= _FINEST_COARSE else raw, kernel_variance)

    points = _refined(solve, _descend(solve, entropy_bits))
    return _envelope(points, entropy_bits, variance)


def _descend(solve: Solve, entropy_bits: float) -> list[SlopePoint]:
    """Points at slopes a factor 4 apart, from rate near 0 to where the curve may end."""
    points = [solve(_LARGEST_NMSE)]
    while points[0].distortion < _LARGEST_NMSE:
        points.insert(0, solve(2 / points[0].slope))
    while not _deep_enough(points[-1], entropy_bits):
        points.append(solve(0.125 / points[-1].slope))
    return points


def _deep_enough(point: SlopePoint, entropy_bits: float) -> bool:
    if entropy_bits - point.rate_bits <= _ENTROPY_BITS:
        return True
    enough = point.rate_bits >= _ENOUGH_BITS or point.letters > _ENOUGH_LETTERS
    return point.distortion <= (_SMALLEST_NMSE if enough else _DEEPEST_NMSE)


def _refined(solve: Solve, points: list[SlopePoint]) -> list[SlopePoint]:
    """Points with more between them where the curve bends."""
    done = points[:1]
    ahead = points[:0:-1]
    while ahead:
        if _chord_is_good(done[-1], ahead[-1]):
            done.append(ahead.pop())
        else:
            middle = float(np.sqrt(done[-1].slope * ahead[-1].slope))
            ahead.append(solve(1 / (2 * middle)))
    return done


def _chord_is_good(above: SlopePoint, below: SlopePoint) -> bool:
    """Whether a chord in log2 D between two points may stand for the curve.

    dR / d log2 D = -s D at both. The cubic through the points with these slopes leaves the chord
    by at most an eighth of its length times what both slopes together differ from the chord's.
    Where they are not 1/2, as they are when Shannon's lower bound is tight, the curve may have
    steps (clusters of letters resolve one by one) that a long chord would miss.
    """
    if below.slope < _CLOSEST_SLOPES * above.slope or not 0 < below.distortion < above.distortion:
        return True
    octaves = np.log2(above.distortion / below.distortion)
    falls = [point.slope * point.distortion for point in (above, below)]
    if octaves > 1 and max(abs(fall - 0.5) for fall in falls) > _SHANNON_TIGHT:
        return False
    rise = (below.rate_bits - above.rate_bits) / octaves
    bend = sum(abs(fall - rise) for fall in falls)
    allowed = np.clip(_CHORD_SHARE * below.rate_bits, _CHORD_FLOOR_BITS, _CHORD_BITS)
    return bool(bend * octaves / 8 <= allowed)


def _envelope(
    points: list[SlopePoint], entropy_bits: float, variance: float
) -> RateDistortionCurve:
    """The highest of all the lines at each point's distortion, in the source's own units."""
    slopes = np.array([point.slope for point in points])
    # No line may rise above what is attained: the entropy at D = 0, a Gaussian's R(D) anywhere.
    gaussian = np.where(slopes > 0.5, 0.5 + 0.5 * np.log(2 * slopes), slopes)
    attained = np.minimum(gaussian, entropy_bits * np.log(2))
    intercepts = np.minimum(attained, [point.intercept for point in points])
    inner = np.unique([point.distortion for point in points if 0 < point.distortion < 1])
    ends_at_entropy = entropy_bits - points[-1].rate_bits <= _ENTROPY_BITS
    distortion = np.concatenate([[0.0] if ends_at_entropy else [], inner, [1.0]])
    lines = (intercepts[:, None] - slopes[:, None] * distortion) / np.log(2)
    rate = np.maximum(0.0, lines.max(axis=0))
    if ends_at_entropy:
        rate[0] = entropy_bits
    rate[-1] = 0.0
    return RateDistortionCurve(distortion * variance, rate)
