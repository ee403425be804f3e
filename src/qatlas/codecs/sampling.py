"""The ruler on a sample of a matrix's rows, for codecs too slow for all of them."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import Codec, Context
from qatlas.codecs.measure import (
    Measurement,
    distortion_against,
    encode_and_decode,
    measurement_of,
    power_of,
)
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_TAIL = 0.025
_FEWEST_ROWS = 2


@dataclass(frozen=True)
class Estimate:
    """What the sampled rows cost and lose, and how far the whole matrix may be from that.

    Attributes
    ----------
    measurement
        Of the sampled rows as a matrix of their own, everything charged to them alone; errors are
        relative to the power of the whole matrix.
    mse_low, mse_high
        95 % interval of the MSE over all rows.
    """

    measurement: Measurement
    mse_low: float
    mse_high: float


def measure_sampled(
    weight: "Tensor", rows: NDArray[np.int64], codec: Codec, context: Context
) -> Estimate:
    """Measure a codec on some rows of a matrix.

    Parameters
    ----------
    weight
        Floating point, shape (output channels, input channels), at least one weight.
    rows
        Indices drawn without replacement, as ``drawn_rows`` does; at least two, or all.

    Raises
    ------
    CodecError
        As ``measure_codec``.
    """
    sample = weight[torch.from_numpy(rows)]
    coded = encode_and_decode(sample, codec, context)
    distortion = distortion_against(power_of(weight), sample, coded.decoded)
    errors = (sample.cpu().double() - coded.decoded).square_().mean(1).numpy()
    return Estimate(
        measurement_of(coded, codec, distortion), *interval_of_mean(errors, weight.shape[0])
    )


def drawn_rows(
    shape: tuple[int, ...], most_weights: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Increasing indices of rows of together at most so many weights, but of two at least."""
    rows, columns = shape
    size = min(rows, max(_FEWEST_ROWS, most_weights // columns))
    return np.sort(generator.choice(rows, size, replace=False))


def interval_of_mean(drawn: NDArray[np.float64], of: int) -> tuple[float, float]:
    """95 % interval of the mean of ``of`` numbers, some of which were drawn without replacement.

    By Student's t with the correction for a finite population (Cochran, Sampling Techniques,
    1977, eq. 2.26), and not below zero: the numbers are errors.
    """
    from scipy.special import stdtrit  # what scipy.stats.t.ppf calls

    mean = float(drawn.mean())
    if drawn.size == of:
        return mean, mean
    deviation = float(drawn.std(ddof=1)) * math.sqrt((1 - drawn.size / of) / drawn.size)
    reach = float(stdtrit(drawn.size - 1, 1 - _TAIL)) * deviation
    return max(mean - reach, 0.0), mean + reach
