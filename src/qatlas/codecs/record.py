"""Measure one codec on one matrix, from a notebook."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.bounds.empirical import rate_distortion_curve
from qatlas.bounds.gaussian import rate_bits
from qatlas.codecs.base import PARTS, Context, as_tensor
from qatlas.codecs.measure import Measurement, measure_codec
from qatlas.codecs.registry import create
from qatlas.distinct import distinct

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Record:
    """A measurement and its distance to the limits; prints as a table.

    Attributes
    ----------
    measurement
        True rate, its parts, and distortion.
    gap_shannon_bits
        Rate minus the Gaussian Shannon bound at the same variance and error.
    gap_empirical_bits
        Rate minus the matrix's own empirical rate-distortion function.
        Both gaps are NaN where nothing is lost.
    """

    measurement: Measurement
    gap_shannon_bits: float
    gap_empirical_bits: float

    def __str__(self) -> str:
        measured = self.measurement
        rate, distortion = measured.rate, measured.distortion
        parts = [
            (f"  {part.replace('_', ' ')}", f"{getattr(rate, part):.6f} bits per weight")
            for part in PARTS
            if getattr(rate, part)
        ]
        rows = [
            ("codec", f"{measured.codec} {measured.parameters}"),
            ("weights", f"{measured.weights:,}"),
            ("true rate", f"{rate.total:.6f} bits per weight"),
            *parts,
            ("nominal", f"{measured.nominal_bits:g} bits per weight"),
            ("MSE", f"{distortion.mse:.6g}"),
            ("MSE / variance", f"{distortion.nmse:.6g}"),
            ("SQNR", f"{distortion.sqnr_db:.2f} dB"),
            ("largest error", f"{distortion.max_abs_error:.6g}"),
            ("gap to Shannon", f"{self.gap_shannon_bits:.4f} bits per weight"),
            ("gap to empirical", f"{self.gap_empirical_bits:.4f} bits per weight"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)

    __repr__ = __str__


def measure(weight: "Tensor | NDArray[Any]", codec: str, **parameters: Any) -> Record:
    """Measure a codec on a matrix: what it really costs, and how far that is from the limits.

    Parameters
    ----------
    weight
        Finite floating-point matrix, shape (output channels, input channels).
    codec
        One of ``qatlas.codecs.names()``.
    parameters
        The codec's parameters.

    Raises
    ------
    CodecError
        If there is no such codec, a parameter is not allowed, or the matrix cannot be quantized.
    """
    tensor = _as_tensor(weight) if isinstance(weight, np.ndarray) else weight
    measured = measure_codec(tensor, create(codec, **parameters), Context())
    nmse, total = measured.distortion.nmse, measured.rate.total
    if not nmse > 0:
        return Record(measured, np.nan, np.nan)
    curve = rate_distortion_curve(distinct(tensor))
    return Record(
        measured,
        gap_shannon_bits=total - float(rate_bits(nmse)),
        gap_empirical_bits=total - float(curve.rate_at(measured.distortion.mse)),
    )


def _as_tensor(array: NDArray[Any]) -> "Tensor":
    """Tensor on the array's memory; copied only from another byte order or memory order."""
    return as_tensor(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))
