"""The one ruler: encode, count the bytes, decode, compare."""

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import PARTS, Codec, CodecError, Context, Encoded, requirements_of
from qatlas.codecs.blocks import row_chunks
from qatlas.codecs.registry import name_of, parameters_of
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Singles = NDArray[np.float32]

_RUN = 1024


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
class Power:
    """Mean square and variance of weights, in their unit squared."""

    mean_square: float
    variance: float


@dataclass(frozen=True)
class _Compared:
    """A matrix beside its reconstruction: power of the one, distance to the other."""

    power: Power
    mse: float
    max_abs_error: float


@dataclass(frozen=True)
class Measurement:
    """A codec on a matrix: true rate and distortion, and the seconds it took.

    Attributes
    ----------
    train_mse
        Mean squared error on the weights that the codec was trained on, where it was on a sample;
        the distortion is that of all weights.
    """

    codec: str
    parameters: str
    weights: int
    nominal_bits: float
    rate: Rate
    distortion: Distortion
    train_mse: float | None
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class Coded:
    """A matrix as a codec stores it and as it comes back, and the seconds this took."""

    encoded: Encoded
    decoded: "Tensor"
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
    coded = encode_and_decode(weight, codec, context)
    return measurement_of(coded, codec, distortion_of(weight, coded.decoded))


def encode_and_decode(weight: "Tensor", codec: Codec, context: Context) -> Coded:
    """Send a matrix through a codec and look at the clock.

    Raises
    ------
    CodecError
        If the matrix is empty, the codec refuses it, or what it decodes has another shape.
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
    return Coded(encoded, decoded, encoded_at - started, decoded_at - encoded_at)


def measurement_of(coded: Coded, codec: Codec, distortion: Distortion) -> Measurement:
    """What the ruler says of a matrix that went through a codec.

    Raises
    ------
    CodecError
        If what was decoded holds NaN or Inf.
    """
    if not math.isfinite(distortion.mse):
        raise CodecError(f"{_called(codec)} decoded NaN or Inf")
    weights = coded.decoded.numel()
    return Measurement(
        codec=name_of(codec),
        parameters=parameters_of(codec),
        weights=weights,
        nominal_bits=codec.nominal_bits,
        rate=rate_of(coded.encoded, weights),
        distortion=distortion,
        train_mse=coded.encoded.train_mse,
        encode_seconds=coded.encode_seconds,
        decode_seconds=coded.decode_seconds,
    )


def rate_of(encoded: Encoded, weights: int) -> Rate:
    """Size of the stored arrays in bits per weight."""
    bits = encoded.bits()
    return Rate(**{part: bits[part] / weights for part in PARTS})


def distortion_of(weight: "Tensor", decoded: "Tensor") -> Distortion:
    """Distortion of a matrix against its reconstruction, summed in double precision."""
    found = _compared(weight, decoded)
    return _distortion(found.power, found)


def distortion_against(power: Power, weight: "Tensor", decoded: "Tensor") -> Distortion:
    """Distortion of a matrix, relative to a power that need not be its own."""
    return _distortion(power, _compared(weight, decoded))


def power_of(weight: "Tensor") -> Power:
    """Power of a matrix of at least one weight, summed in double precision."""
    return _compared(weight, weight).power


def _distortion(power: Power, found: _Compared) -> Distortion:
    return Distortion(
        mse=found.mse,
        nmse=found.mse / power.variance if power.variance > 0 else math.nan,
        sqnr_db=(
            math.inf if found.mse == 0 else _decibels(power.mean_square) - _decibels(found.mse)
        ),
        max_abs_error=found.max_abs_error,
    )


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf


def _compared(weight: "Tensor", decoded: "Tensor") -> _Compared:
    """Compare in one go over both, so that memory too large for the cache is read once."""
    origin = float(_flat(weight[:1, :1])[0])
    sums, largest = np.zeros(4), 0.0
    for rows in row_chunks(weight):
        values, reconstructed = _flat(weight[rows]), _flat(decoded[rows])
        _accumulate(values, reconstructed, origin, sums)
        largest = max(largest, float(_largest_difference(values, reconstructed)))
    mean_square, offset, squared_offset, mse = (float(s) / weight.numel() for s in sums)
    return _Compared(Power(mean_square, squared_offset - offset**2), mse, largest)


def _flat(rows: "Tensor") -> Singles:
    return rows.detach().to("cpu", torch.float32).contiguous().view(-1).numpy()


# Sums may be reordered by the compiler (not by threads), so that they use vector registers.
@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _accumulate(weight: Any, decoded: Any, origin: float, sums: Any) -> None:
    """Add to the sums of w^2, w - origin, (w - origin)^2 and (w - w_hat)^2.

    An origin among the weights keeps the variance exact where these are all equal or far from 0.
    """
    squares, offsets, squared_offsets, squared_errors = 0.0, 0.0, 0.0, 0.0
    for i in range(weight.size):
        w = np.float64(weight[i])
        squares += w * w
        offsets += w - origin
        squared_offsets += (w - origin) * (w - origin)
        error = w - np.float64(decoded[i])
        squared_errors += error * error
    sums[0] += squares
    sums[1] += offsets
    sums[2] += squared_offsets
    sums[3] += squared_errors


@numba.njit(cache=True)
def _largest_difference(weight: Singles, decoded: Singles) -> Any:
    """Largest |w - w_hat|, or anything at all where one of them is NaN.

    Without their signs floats are ordered as their bits are, and the largest of many integers is
    found in vector registers.
    """
    differences = np.empty(_RUN, np.float32)
    bits = differences.view(np.int32)
    largest = np.zeros(1, np.int32)
    for start in range(0, weight.size, _RUN):
        # Of indices that begin with 0 the compiler knows that none counts from the end.
        values, reconstructed = weight[start : start + _RUN], decoded[start : start + _RUN]
        for i in range(values.size):
            differences[i] = values[i] - reconstructed[i]
        farthest = np.int32(0)
        for i in range(values.size):
            # Numba would make 64 bits of it.
            difference = np.int32(bits[i] & 0x7FFFFFFF)
            farthest = difference if difference > farthest else farthest
        largest[0] = max(largest[0], farthest)
    return largest.view(np.float32)[0]


def _called(codec: Codec) -> str:
    return f"codec {name_of(codec)} {parameters_of(codec)}"
