"""The one ruler: encode, count the bytes, decode, compare."""

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import PARTS, Codec, CodecError, Context, Encoded, requirements_of
from qatlas.codecs.blocks import row_chunks
from qatlas.codecs.registry import name_of, parameters_of
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rate:
    """Stored bits per weight, by what they are charged to."""

    payload: float
    scale: float
    zero_point: float
    codebook: float
    other: float

    @property
    def total(self) -> float:
        """All of them."""
        return math.fsum(asdict(self).values())


@dataclass(frozen=True)
class Distortion:
    """What decoding loses.

    Attributes
    ----------
    mse
        mean((W - W_hat)^2), in the weights' unit squared.
    nmse
        MSE over the variance mean((W - mean W)^2); NaN where the variance is zero.
    sqnr_db
        10 log10(mean(W^2) / MSE) in dB; infinite where nothing is lost.
    max_abs_error
        Largest absolute error, in the weights' unit.
    """

    mse: float
    nmse: float
    sqnr_db: float
    max_abs_error: float


@dataclass(frozen=True)
class Measurement:
    """A codec on a matrix: true rate and distortion, and the seconds it took."""

    codec: str
    parameters: str
    weights: int
    nominal_bits: float
    rate: Rate
    distortion: Distortion
    encode_seconds: float
    decode_seconds: float


def measure_codec(weight: "Tensor", codec: Codec, context: Context) -> Measurement:
    """Measure a codec on a matrix.

    Parameters
    ----------
    weight
        Floating point, shape (output channels, input channels), at least one weight.

    Raises
    ------
    CodecError
        If the matrix is empty, the codec refuses it or needs a second moment that the context
        lacks, or what it decodes has another shape or holds NaN or Inf; the message names the
        codec and its parameters.
    """
    if not weight.numel():
        raise CodecError("an empty matrix has no rate; give at least one weight")
    if requirements_of(codec).second_moment and context.second_moment is None:
        raise CodecError(
            f"{_called(codec)} needs the second moment of the layer's input; give it as "
            "Context(second_moment=...)"
        )
    started = time.perf_counter()
    encoded = codec.encode(weight, context)
    encoded_at = time.perf_counter()
    decoded = codec.decode(encoded)
    decoded_at = time.perf_counter()
    if decoded.shape != weight.shape:
        raise CodecError(
            f"{_called(codec)} decoded shape {tuple(decoded.shape)} "
            f"where {tuple(weight.shape)} was encoded"
        )
    distortion = distortion_of(weight, decoded)
    if not math.isfinite(distortion.mse):
        raise CodecError(f"{_called(codec)} decoded NaN or Inf")
    return Measurement(
        codec=name_of(codec),
        parameters=parameters_of(codec),
        weights=weight.numel(),
        nominal_bits=codec.nominal_bits,
        rate=rate_of(encoded, weight.numel()),
        distortion=distortion,
        encode_seconds=encoded_at - started,
        decode_seconds=decoded_at - encoded_at,
    )


def rate_of(encoded: Encoded, weights: int) -> Rate:
    """Size of the stored arrays in bits per weight."""
    bits = encoded.bits()
    return Rate(**{part: bits[part] / weights for part in PARTS})


def distortion_of(weight: "Tensor", decoded: "Tensor") -> Distortion:
    """Distortion of a matrix against its reconstruction, summed in double precision."""
    sums = np.zeros(4)
    origin = float(_flat(weight[:1, :1])[0])
    largest = 0.0
    for rows in row_chunks(weight):
        values, reconstructed = _flat(weight[rows]), _flat(decoded[rows])
        _accumulate(values, reconstructed, origin, sums)
        largest = max(largest, float(np.abs(values - reconstructed).max()))
    squares, offsets, squared_offsets, errors = (float(s) / weight.numel() for s in sums)
    variance = squared_offsets - offsets**2
    return Distortion(
        mse=errors,
        nmse=errors / variance if variance > 0 else math.nan,
        sqnr_db=math.inf if errors == 0 else _decibels(squares) - _decibels(errors),
        max_abs_error=largest,
    )


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf


def _flat(rows: "Tensor") -> NDArray[np.float32]:
    return rows.detach().to("cpu", torch.float32).contiguous().view(-1).numpy()


# Sums may be reordered by the compiler (not by threads), so that they use vector registers.
@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _accumulate(
    weight: NDArray[np.float32],
    decoded: NDArray[np.float32],
    origin: float,
    sums: NDArray[np.float64],
) -> None:
    """Add to the sums of w^2, w - origin, (w - origin)^2 and error^2.

    An origin among the weights keeps the variance exact where these are all equal or far from 0.
    """
    squares, offsets, squared_offsets, errors = 0.0, 0.0, 0.0, 0.0
    for i in range(weight.size):
        w = np.float64(weight[i])
        error = w - np.float64(decoded[i])
        squares += w * w
        offsets += w - origin
        squared_offsets += (w - origin) * (w - origin)
        errors += error * error
    sums[0] += squares
    sums[1] += offsets
    sums[2] += squared_offsets
    sums[3] += errors


def _called(codec: Codec) -> str:
    return f"codec {name_of(codec)} {parameters_of(codec)}"
