"""How the weights of a tensor are distributed."""

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qatlas.distinct import Distinct, distinct
from qatlas.tables import Column, Table
from qatlas.weights.histogram import asinh_histogram
from qatlas.weights.student_t import NU_LARGEST, NU_SMALLEST, fit_student_t

if TYPE_CHECKING:
    from torch import Tensor

_ENTROPY_STEP = 1 / 16
_DENSITY_EDGES = np.arange(-100, 101) / 10

_IDENTITY = (
    Column("model", "text", "name of the model in the configuration"),
    Column("tensor", "text", "name in the checkpoint"),
    Column("kind", "text", "what it is for: one of qatlas.weights.roles.KINDS"),
)

STATISTICS = Table(
    "statistics",
    "one matrix of one model",
    (
        *_IDENTITY,
        Column("layer", "integer", "position in the stack of layers; none outside", True),
        Column("weights", "integer", "number of elements"),
        Column("mean", "number", "in units of the weights"),
        Column("sigma", "number", "standard deviation over all weights"),
        Column("kurtosis", "number", "mean ((w - mean) / sigma)^4; Gaussian 3", True),
        Column("max_over_sigma", "number", "largest |w - mean| / sigma", True),
        Column(
            "student_t_nu",
            "number",
            f"degrees of freedom of Student's t fitted by maximum likelihood, {NU_SMALLEST:g} to "
            f"{NU_LARGEST:g}; none if half of the weights or more are equal",
            True,
        ),
        Column("share_beyond_4_sigma", "number", "share of |w - mean| > 4 sigma"),
        Column("share_beyond_6_sigma", "number", "share of |w - mean| > 6 sigma"),
        Column("distinct_values", "integer", "number of different values"),
        Column(
            "differential_entropy_bits",
            "number",
            "of the weights as stored (not standardized), from a histogram; none if constant",
            True,
        ),
    ),
    always_has_rows=True,
)

DENSITIES = Table(
    "densities",
    "one bin of the histogram of one matrix; all bins of a matrix, empty ones too",
    (
        *_IDENTITY,
        Column("bin_low_sigma", "number", "lower edge of (w - mean) / sigma, inclusive"),
        Column("bin_high_sigma", "number", "upper edge, exclusive"),
        Column(
            "share",
            "number",
            "share of the weights; the first and last bin count everything beyond them too",
        ),
    ),
    always_has_rows=True,
)


@dataclass(frozen=True)
class TensorStatistics:
    """The measured columns of ``STATISTICS``, under their names there.

    What is in units of sigma, Student's nu and the differential entropy are None for a tensor
    whose weights are all equal.
    """

    weights: int
    mean: float
    sigma: float
    kurtosis: float | None
    max_over_sigma: float | None
    student_t_nu: float | None
    share_beyond_4_sigma: float
    share_beyond_6_sigma: float
    distinct_values: int
    differential_entropy_bits: float | None


@dataclass(frozen=True)
class Density:
    """Histogram of (w - mean) / sigma: ``DENSITIES``'s edges and shares, shape (200,) each."""

    bin_low_sigma: NDArray[np.float64]
    bin_high_sigma: NDArray[np.float64]
    share: NDArray[np.float64]


def tensor_statistics(matrix: "Tensor") -> TensorStatistics:
    """Measure a finite floating-point tensor of any shape.

    Moments are exact sums in float64 over the distinct values and their counts.
    """
    return distinct_statistics(distinct(matrix))


def density(matrix: "Tensor") -> Density:
    """Histogram of a finite floating-point tensor of any shape in units of its sigma."""
    return distinct_density(distinct(matrix))


def distinct_statistics(values: Distinct) -> TensorStatistics:
    """As ``tensor_statistics``, of values that are already counted."""
    mean, sigma = _mean_and_sigma(values)
    z = _standardized(values, mean, sigma)
    constant = values.values.size == 1
    student_t = fit_student_t(values)
    return TensorStatistics(
        weights=values.total,
        mean=mean,
        sigma=sigma,
        kurtosis=None if constant else float(np.average(z**4, weights=values.counts)),
        max_over_sigma=None if constant else float(max(-z[0], z[-1])),
        student_t_nu=None if student_t is None else student_t.nu,
        share_beyond_4_sigma=_share_beyond(4, z, values),
        share_beyond_6_sigma=_share_beyond(6, z, values),
        distinct_values=values.values.size,
        differential_entropy_bits=None if constant else differential_entropy_bits(values),
    )


def distinct_density(values: Distinct) -> Density:
    """As ``density``, of values that are already counted; equal weights are at 0 sigma."""
    z = _standardized(values, *_mean_and_sigma(values))
    below = np.concatenate([[0], np.cumsum(values.counts)])
    inner = below[np.searchsorted(z, _DENSITY_EDGES[1:-1])]
    counts = np.diff(np.concatenate([[0], inner, [values.total]]))
    return Density(_DENSITY_EDGES[:-1], _DENSITY_EDGES[1:], counts / values.total)


def differential_entropy_bits(values: Distinct) -> float:
    """Differential entropy of the weights, in bits, from a histogram.

    -sum p log2(p / width) over bins of a sixteenth of a robust standard deviation in the core and
    wider in the tails, plus the bias correction (bins - 1) / 2n nats of Miller (1955). It is the
    entropy of the density that the weights seem drawn from: bins are wider than the spacing of
    16-bit floating-point values, but not than that of a few dozen quantization levels, for which
    this is no measure.
    """
    bins = asinh_histogram(values, _ENTROPY_STEP)
    shares = bins.counts / values.total
    correction = (shares.size - 1) / (2 * values.total * log(2))
    return float(-np.sum(shares * np.log2(shares / bins.widths)) + correction)


def _mean_and_sigma(values: Distinct) -> tuple[float, float]:
    mean = float(np.average(values.values, weights=values.counts))
    return mean, sqrt(values.central_moment(2))


def _standardized(values: Distinct, mean: float, sigma: float) -> NDArray[np.float64]:
    """(w - mean) / sigma, increasing; zero if all weights are equal."""
    if values.values.size == 1:
        return np.zeros(1)
    return (values.values - mean) / sigma


def _share_beyond(sigmas: float, z: NDArray[np.float64], values: Distinct) -> float:
    return float(values.counts[np.abs(z) > sigmas].sum() / values.total)
