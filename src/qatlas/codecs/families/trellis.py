"""Trellis-coded quantization of fixed rate with a bit-shift trellis."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import CodecError, Context, Encoded, finite_float32
from qatlas.codecs.lattices.scale_search import least_error_scales, least_squares_scales
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.codecs.storage import REMEDIES, StoredFloat, restored, round_to, stored
from qatlas.codecs.trellises.bit_shift import BitShiftTrellis
from qatlas.codecs.trellises.state_codes import StateCode, state_values
from qatlas.codecs.trellises.tail_biting import rings_of_symbols, values_of_rings
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Rows = NDArray[np.float64]

_SAMPLED_SEQUENCES = 32


@register
@dataclass(frozen=True)
class Trellis:
    """Values of the states along the best path through a bit-shift trellis.

    A state is the last L = ``state_bits`` bits read; each weight reads k = ``bits`` more. Sequences
    of consecutive weights, running on from row to row, have a path each; it ends where it begins
    (tail-biting), so that all its states follow from its k bits a weight. What is left over of the
    weights makes the last sequence longer. The mean of the tensor is taken off; the scale is the
    one of least squared error on up to 32 evenly spaced sequences, relative to the root mean
    square of the tensor or of each channel, and last that of least squares.

    On N(0, 1), 1 M weights and everything charged, ``code`` "latin_square" has squared errors of
    0.271, 0.0703, 0.0182 and 0.0047 at 1, 2, 3 and 4 bits with L = 12; published are 0.2803,
    0.0733, 0.0198 and 0.0055 (QTIP, table 2).

    Charged: k bits a weight; a scale for the tensor or each channel; the mean in float32. The
    values of the states are functions of their numbers and cost nothing.

    Source: QTIP, Tseng et al. 2024 (arXiv 2406.11235), for the trellis, tail-biting, "1mad" and
    "3inst"; Mao, Gray & Linder 2011 (arXiv 1008.2008) for "permutation". "latin_square" is this
    package's: see ``trellises/state_codes.py``.

    Attributes
    ----------
    bits
        Bits per weight.
    state_bits
        L; work and memory grow as 2^L.
    sequence_length
        Weights of a path.
    code
        Which value each state has.
    """

    bits: Literal[1, 2, 3, 4]
    state_bits: Literal[8, 12, 16] = 12
    sequence_length: Annotated[int, Field(ge=32, le=1024)] = 256
    code: StateCode = "latin_square"
    granularity: Literal["tensor", "channel"] = "tensor"
    scale_dtype: StoredFloat = "float32"

    @property
    def nominal_bits(self) -> float:
        """Bits per weight of the paths."""
        return float(self.bits)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Find scales and paths; pack.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, do not fit float32, or have a scale that
            ``scale_dtype`` cannot hold.
        """
        rows = finite_float32(weight).double().numpy()
        shape = tuple(weight.shape)
        if not prod(shape):
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        mean = np.float32(rows.mean())
        rows -= np.float64(mean)
        rows = rows.reshape(1, -1) if self.granularity == "tensor" else rows
        scales = self._rounded(self._least_error_scales(rows), rows)
        symbols = rings_of_symbols(
            _over(rows, scales).astype(np.float32).reshape(-1), self._trellis, self.sequence_length
        )
        words = values_of_rings(symbols, self._trellis, self.sequence_length)
        scales = least_squares_scales(rows, words.reshape(rows.shape).astype(np.float64))
        return Encoded(
            shape,
            {
                "payload": pack(symbols, self.bits),
                "scale": stored(torch.from_numpy(self._rounded(scales, rows)), self.scale_dtype),
                "zero_point": np.array([mean], np.float32),
            },
        )

    def decode(self, encoded: Encoded) -> "Tensor":
        """Read the states along the paths, scale their values; float32."""
        count = prod(encoded.shape)
        if not count:
            return torch.empty(encoded.shape)
        symbols = unpack(encoded.arrays["payload"], self.bits, count)
        words = values_of_rings(symbols, self._trellis, self.sequence_length)
        scales = restored(encoded.arrays["scale"])
        scaled = torch.from_numpy(words).reshape(scales.numel(), -1) * scales[:, None]
        return (scaled + restored(encoded.arrays["zero_point"])).reshape(encoded.shape)

    @property
    def _trellis(self) -> BitShiftTrellis:
        return BitShiftTrellis(state_values(self.code, self.state_bits, self.bits), self.bits)

    def _least_error_scales(self, rows: Rows) -> Rows:
        """Scale of each row: its root mean square times a factor that suits a sample of all."""
        roots = np.sqrt(np.square(rows).mean(1))
        normal = _over(rows, roots).reshape(-1)
        length = min(self.sequence_length, normal.size)
        sequences = normal[: normal.size // length * length].reshape(-1, length)
        sample = sequences[:: -(-len(sequences) // _SAMPLED_SEQUENCES)]
        spread = float(np.sqrt(np.square(self._trellis.values, dtype=np.float64).mean()))
        scales: Rows = roots * least_error_scales(sample[None], self._nearest, spread)
        return scales

    def _nearest(self, sequences: Rows) -> Rows:
        """What sequences, each of its own row, are quantized to at scale one."""
        flat, length = sequences.astype(np.float32).reshape(-1), sequences.shape[1]
        symbols = rings_of_symbols(flat, self._trellis, length)
        words = values_of_rings(symbols, self._trellis, length)
        return words.astype(np.float64).reshape(sequences.shape)

    def _rounded(self, scales: Rows, rows: Rows) -> Rows:
        narrow = round_to(torch.from_numpy(scales), self.scale_dtype, "scale")
        rounded: Rows = narrow.double().numpy()
        if scales.any() and not rounded.any():
            raise CodecError(
                f"weights of at most {np.abs(rows).max():.3g} from their mean have scales that "
                f"vanish in scale_dtype {self.scale_dtype!r}: {REMEDIES[self.scale_dtype]}"
            )
        return rounded


def _over(rows: Rows, scales: Rows) -> Rows:
    """Rows over their scales, or as they are where that is zero."""
    quotients: Rows = rows / np.where(scales == 0, 1, scales)[:, None]
    return quotients
