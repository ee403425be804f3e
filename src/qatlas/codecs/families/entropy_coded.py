"""Uniform scalar quantization with entropy coding, at a chosen size."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import Context, Encoded, finite_float32
from qatlas.codecs.entropy_coding.coder import coded_bits, decode_given, encode_given
from qatlas.codecs.entropy_coding.deadzone import centroid_shifts, dequantize, quantize
from qatlas.codecs.entropy_coding.step_search import step_for_size
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Floats: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = dict[str, NDArray[Any]]

_FINEST = 2.0**-30
_COARSEST = 4.0
_ATTEMPTS = 6
_TOLERANCE = 0.001
_SMALLEST_STEP = 2.0**-149


@register
@dataclass(frozen=True)
class EntropyCoded:
    """Multiples of a step, entropy-coded; the step is the one that meets the rate.

    The rate counts everything stored and is not exceeded, and is met within 0.002 bit or two bytes
    where the tensor allows: if the finest step takes less, it is kept nearly exactly; if the
    coarsest takes more, as for a few weights, the least that can be stored is stored.

    Charged: the coder's bytes; the frequency table, which is a histogram; the step (float32);
    for granularity "channel" a bfloat16 a row; for "centroid" a byte for each cell that is worth
    it; for several row classes the class of each row.

    Source: Gish and Pierce, "Asymptotically efficient quantizing", IEEE Trans. Inf. Theory 14
    (1968), who show that it is 0.2546 bit from Shannon's bound at high rate; Sullivan,
    "Efficient scalar quantization of exponential and Laplacian random variables", IEEE Trans.
    Inf. Theory 42 (1996) for ``rounding``; the coder is Duda 2013 (arXiv 1311.2540).

    Attributes
    ----------
    rate
        Bits per weight, all charges in.
    granularity
        "tensor": one step, which has the least squared error; "channel": steps proportional to
        the root mean squares of rows, so that all rows have the same relative error.
    reconstruction
        "midpoint" of a cell, or its "centroid" for the cells where storing it pays.
    rounding
        A weight of x steps becomes floor(x + rounding): 0.5 is the nearest; less makes zero
        more frequent, which pays at low rates with centroids.
    row_classes
        Rows are put into so many classes by their root mean square, and each class has its own
        frequency table: with one step this is the reverse water-filling of row variances.
    """

    rate: Annotated[float, Field(ge=0.1, le=12, allow_inf_nan=False)]
    granularity: Literal["tensor", "channel"] = "tensor"
    reconstruction: Literal["midpoint", "centroid"] = "centroid"
    rounding: Annotated[float, Field(gt=0, le=0.5)] = 0.5
    row_classes: Annotated[int, Field(ge=1, le=64)] = 1

    @property
    def nominal_bits(self) -> float:
        """The rate asked for."""
        return float(self.rate)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Find the step, quantize and code.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix or do not fit float32.
        """
        values = finite_float32(weight).numpy()
        shape = tuple(weight.shape)
        if not values.size:
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        rows = self._rows(values)
        if not values.any():
            return Encoded(shape, self._arrays(values, rows, 0.0))
        return Encoded(shape, self._closest_to_rate(values, rows))

    def decode(self, encoded: Encoded) -> "Tensor":
        """Points of the cells; float32."""
        if not prod(encoded.shape):
            return torch.empty(encoded.shape)
        rows, columns = encoded.shape
        arrays = encoded.arrays
        scales = np.ones(rows)
        if self.granularity == "channel":
            scales = arrays["scale.rows"].astype(np.float64)
        classes = np.zeros(rows, np.uint8)
        if self.row_classes > 1:
            classes = unpack(arrays["row_classes"], self._class_bits, rows)
        symbols = decode_given(arrays, np.repeat(classes, columns)).reshape(encoded.shape)
        shifts = arrays.get("codebook", np.empty(0, np.int8))
        steps = float(arrays["scale"][0]) * scales
        return torch.from_numpy(dequantize(symbols, steps, self.rounding, shifts))

    @property
    def _class_bits(self) -> int:
        return (self.row_classes - 1).bit_length()

    def _rows(self, values: Floats) -> "_Rows":
        spreads = np.sqrt(np.square(values, dtype=np.float64).mean(1))
        scales = np.ones(spreads.size)
        if self.granularity == "channel":
            relative = spreads / (spreads.max() or 1.0)
            scales = relative.astype(ml_dtypes.bfloat16).astype(np.float64)
        ranks = np.argsort(np.argsort(spreads, kind="stable"), kind="stable")
        return _Rows(spreads, scales, (ranks * self.row_classes // ranks.size).astype(np.uint8))

    def _closest_to_rate(self, values: Floats, rows: "_Rows") -> Arrays:
        """Arrays of the finest step tried that does not exceed the rate, or the smallest."""
        wanted = self.rate * values.size
        tolerance = max(_TOLERANCE * values.size, 8.0)
        extent = rows.extent(values)
        candidates = []
        if rows.have_one_magnitude(values):
            # It is kept when it is the middle of a cell.
            candidates.append(self._arrays(values, rows, extent / (1.5 - self.rounding)))
            if _bits(candidates[0]) <= wanted:
                return candidates[0]
        uncounted = 0.0

        def bits(step: float) -> float:
            return self._estimated_bits(values, rows, step) + uncounted

        step = 4 * rows.relative_spread() * 2.0**-self.rate
        for _ in range(_ATTEMPTS):
            step = step_for_size(
                bits,
                wanted,
                tolerance / 2,
                fall=float(values.size),
                start=step,
                finest=max(extent * _FINEST, _SMALLEST_STEP),
                coarsest=extent * _COARSEST,
            )
            candidates.append(self._arrays(values, rows, step))
            size = _bits(candidates[-1])
            if wanted - tolerance <= size <= wanted:
                break
            error = size - bits(step)
            if abs(error) < 1:
                break
            uncounted += error
        fitting = [arrays for arrays in candidates if _bits(arrays) <= wanted]
        if not fitting:
            return min(candidates, key=_bits)
        return min(fitting, key=lambda arrays: float(arrays["scale"][0]))

    def _estimated_bits(self, values: Floats, rows: "_Rows", step: float) -> float:
        symbols = quantize(values, rows.steps(step), self.rounding)
        classes = (symbols[rows.classes == k] for k in range(self.row_classes))
        return sum(coded_bits(*np.unique(part, return_counts=True)) for part in classes)

    def _arrays(self, values: Floats, rows: "_Rows", step: float) -> Arrays:
        steps = rows.steps(step)
        symbols = quantize(values, steps, self.rounding)
        arrays: Arrays = dict(encode_given(symbols, np.repeat(rows.classes, values.shape[1])))
        arrays["scale"] = np.full(1, step, np.float32)
        if self.granularity == "channel":
            arrays["scale.rows"] = rows.scales.astype(ml_dtypes.bfloat16)
        if self.reconstruction == "centroid":
            arrays["codebook"] = centroid_shifts(values, symbols, steps, self.rounding)
        if self.row_classes > 1:
            arrays["row_classes"] = pack(rows.classes, self._class_bits)
        return arrays


@dataclass(frozen=True)
class _Rows:
    """What is known of each row: root mean square, stored scale and class; shape (rows,)."""

    spreads: NDArray[np.float64]
    scales: NDArray[np.float64]
    classes: NDArray[np.uint8]

    def steps(self, step: float) -> NDArray[np.float64]:
        """Step of each row, from the step as it is stored."""
        return float(np.float32(step)) * self.scales

    def extent(self, values: Floats) -> float:
        """Largest magnitude in units of the row's scale."""
        maxima = np.abs(values).max(1).astype(np.float64)
        return float(np.max(self._in_scales(maxima)))

    def have_one_magnitude(self, values: Floats) -> bool:
        """Whether every weight is, in units of its row's scale, the same but for sign, or zero."""
        magnitudes = np.abs(values)
        extents = self.extent(values) * self.scales[:, None]
        return bool(((magnitudes == 0) | (magnitudes == extents)).all())

    def relative_spread(self) -> float:
        """Root mean square in units of the rows' scales."""
        return float(np.sqrt(np.mean(self._in_scales(self.spreads) ** 2)))

    def _in_scales(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(values, self.scales, out=np.zeros(values.size), where=self.scales > 0)


def _bits(arrays: Arrays) -> int:
    return 8 * sum(array.nbytes for array in arrays.values())
