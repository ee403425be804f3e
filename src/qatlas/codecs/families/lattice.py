"""Lattice vector quantization: bounded codebooks, or all points with entropy coding."""

from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import CodecError, Context, Encoded, finite_float32
from qatlas.codecs.entropy_coding.coder import coded_bits, decode_streams, encode_streams
from qatlas.codecs.entropy_coding.step_search import step_for_size
from qatlas.codecs.lattices.nearest_point import LATTICES
from qatlas.codecs.lattices.point_coding import contexts_of
from qatlas.codecs.lattices.scale_search import least_error_scales, least_squares_scales
from qatlas.codecs.lattices.stages import STAGES, nearest_words, refined, shell_factors, words_of
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.codecs.storage import REMEDIES, StoredFloat, restored, round_to, stored
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Vectors = NDArray[np.float64]
Points = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

_ATTEMPTS = 4
_TOLERANCE = 0.001
_FINEST = 2.0**-36
_COARSEST = 4.0


@register
@dataclass(frozen=True)
class Lattice:
    """Nearest points of a scaled lattice to vectors of consecutive weights of a row.

    ``coding`` "fixed" takes the points nearest the origin as a codebook with indices of fixed
    length: D4 + 1/2 at 2, 3 or 4 bits; E8 at 1 bit, E8 + 1/4 at 2, refined by a second codebook at
    3 (2 + 1) and 4 (2 + 2). Weights beyond a codebook go to its nearest codeword exactly; the
    refinement is that of the nearest first codeword. The scale is the one of least squared error
    found by search. With "entropy" all lattice points are used, and the step is the one at which
    everything stored takes ``bits`` per weight or up to 0.002 less, where the tensor allows:
    a few weights take the least that can be stored.

    Vectors have 1, 4, 8 or 24 weights. With granularity "tensor" they run on from row to row;
    with "channel" each row has vectors and a scale of its own, for "entropy" in proportion to its
    root mean square. The last vector is filled up with the last weight.

    With ``codewords`` "fitted" those of a (first) codebook are moved along their direction: one
    factor for all at the same distance from the origin, 13 of them for E8 at 2 bits. That is worth
    two percent of the squared error on N(0, 1).

    Charged: the indices, or the coder's bytes and the histogram of each context ("table"); one
    scale a block; fitted factors in float16; what fills up the last vectors.

    Source: Conway & Sloane, IEEE Trans. Inf. Theory 28 (1982), for the lattices; QuIP#, Tseng et
    al. 2024 (arXiv 2402.04396), for bounded E8 codebooks and their refinement; the coder is Duda
    2013 (arXiv 1311.2540).

    Attributes
    ----------
    bits
        Bits per weight: of the indices, or of everything stored for "entropy".
    codewords
        Whether a bounded codebook's words lie on the lattice, or on shells fitted to the weights.
    """

    lattice: Literal["z", "d4", "e8", "leech"]
    bits: Annotated[float, Field(ge=0.1, le=12, allow_inf_nan=False)]
    coding: Literal["fixed", "entropy"] = "fixed"
    granularity: Literal["tensor", "channel"] = "tensor"
    scale_dtype: StoredFloat = "float32"
    codewords: Literal["lattice", "fitted"] = "lattice"

    def __post_init__(self) -> None:
        if self.coding == "fixed" and (self.lattice, self.bits) not in STAGES:
            allowed = [f"{bits} for {lattice!r}" for lattice, bits in STAGES]
            raise ValueError(
                f"no fixed codebook of lattice {self.lattice!r} with bits {self.bits:g}; there are "
                f"{', '.join(allowed)}; or take coding 'entropy'"
            )
        if self.coding == "entropy" and self.codewords == "fitted":
            raise ValueError("codewords 'fitted' are those of coding 'fixed'; leave one of the two")

    @property
    def nominal_bits(self) -> float:
        """Bits per weight asked for."""
        return float(self.bits)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack.

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
        rows = rows.reshape(1, -1) if self.granularity == "tensor" else rows
        return Encoded(shape, self._fixed(rows) if self.coding == "fixed" else self._coded(rows))

    def decode(self, encoded: Encoded) -> "Tensor":
        """Codewords times their scales; float32."""
        rows, columns = encoded.shape
        if not rows * columns:
            return torch.empty(encoded.shape)
        blocks, length = (1, rows * columns) if self.granularity == "tensor" else (rows, columns)
        count = blocks * -(-length // self._dimension)
        if self.coding == "fixed":
            stages = STAGES[self.lattice, self.bits]
            indices = [
                _unpacked(encoded.arrays[name], stage.index_bits, count)
                for name, stage in zip(_NAMES, stages, strict=False)
            ]
            factors = encoded.arrays.get("codebook.factors", _unmoved(stages))
            words = words_of(stages, indices, factors)
        else:
            contexts = contexts_of(self.lattice)
            streams = decode_streams(encoded.arrays, contexts.count)
            words = contexts.points(streams, count).astype(np.float64)
        scales = restored(encoded.arrays["scale"]).double().numpy()
        scaled = words.reshape(blocks, -1) * scales[:, None]
        return torch.from_numpy(scaled[:, :length].astype(np.float32)).reshape(encoded.shape)

    @property
    def _dimension(self) -> int:
        return LATTICES[self.lattice].dimension

    def _vectors(self, rows: Vectors) -> Vectors:
        """Vectors of each block, shape (blocks, vectors, dimension)."""
        filling = -rows.shape[1] % self._dimension
        filled = np.pad(rows, ((0, 0), (0, filling)), mode="edge")
        return filled.reshape(len(rows), -1, self._dimension)

    def _fixed(self, rows: Vectors) -> Arrays:
        blocks = self._vectors(rows)
        stages = STAGES[self.lattice, self.bits]
        spread = stages[0].codebook.spread
        scales = least_error_scales(blocks, partial(_words, stages), spread)
        scales = self._rounded(scales, rows)
        vectors = _scaled(blocks, scales).reshape(-1, self._dimension)
        indices, factors = self._indices(stages, vectors)
        arrays: Arrays = {
            name: _packed(index, stage.index_bits)
            for name, index, stage in zip(_NAMES, indices, stages, strict=False)
        }
        return arrays | factors | {"scale": stored(torch.from_numpy(scales), self.scale_dtype)}

    def _indices(self, stages: Any, vectors: Vectors) -> tuple[list[Points], Arrays]:
        """Indices of each stage, and the factors of the first one's shells if they are fitted."""
        if self.codewords == "lattice":
            return nearest_words(stages, vectors)[0], {}
        first = stages[0].codebook
        indices = first.nearest(vectors)
        factors = shell_factors(first, indices, vectors)
        further, _ = refined(stages, vectors, words_of(stages[:1], [indices], factors))
        return [indices, *further], {"codebook.factors": factors}

    def _coded(self, rows: Vectors) -> Arrays:
        """Arrays of the finest step tried that does not exceed the rate, or the smallest."""
        wanted = self.bits * rows.size
        tolerance = max(_TOLERANCE * rows.size, 8.0)
        normal = _scaled(self._vectors(rows), np.sqrt(np.square(rows).mean(1)))
        extent = float(np.abs(normal).max())
        if not extent:
            return self._arrays(rows, normal, 1.0)
        cell = LATTICES[self.lattice].cell ** (1 / self._dimension)
        # The step that is right at high rate for a normal source.
        step, uncounted = 4 / cell * 2.0**-self.bits, 0.0
        candidates: list[tuple[float, int, Arrays]] = []

        def bits(step: float) -> float:
            return self._estimated_bits(normal, step) + uncounted

        for _ in range(_ATTEMPTS):
            step = step_for_size(
                bits,
                wanted,
                tolerance / 2,
                fall=float(rows.size),
                start=step,
                finest=extent * _FINEST,
                coarsest=extent * _COARSEST,
            )
            arrays = self._arrays(rows, normal, step)
            size = 8 * sum(array.nbytes for array in arrays.values())
            candidates.append((step, size, arrays))
            error = size - bits(step)
            if wanted - tolerance <= size <= wanted or abs(error) < 1:
                break
            uncounted += error
        fitting = [candidate for candidate in candidates if candidate[1] <= wanted]
        if not fitting:
            return min(candidates, key=lambda candidate: candidate[1])[2]
        return min(fitting, key=lambda candidate: candidate[0])[2]

    def _points(self, normal: Vectors, step: float) -> Points:
        flat = normal.reshape(-1, self._dimension) / step
        return LATTICES[self.lattice].nearest(flat)

    def _estimated_bits(self, normal: Vectors, step: float) -> float:
        streams = contexts_of(self.lattice).streams(self._points(normal, step))
        return sum(coded_bits(*np.unique(stream, return_counts=True)) for stream in streams)

    def _arrays(self, rows: Vectors, normal: Vectors, step: float) -> Arrays:
        points = self._points(normal, step)
        words = points.reshape(len(rows), -1)[:, : rows.shape[1]].astype(np.float64)
        scales = self._rounded(least_squares_scales(rows, words), rows)
        arrays: Arrays = dict(encode_streams(contexts_of(self.lattice).streams(points)))
        return arrays | {"scale": stored(torch.from_numpy(scales), self.scale_dtype)}

    def _rounded(self, scales: Vectors, rows: Vectors) -> Vectors:
        rounded = round_to(torch.from_numpy(scales), self.scale_dtype, "scale").double().numpy()
        if scales.any() and not rounded.any():
            raise CodecError(
                f"weights of at most {np.abs(rows).max():.3g} have scales that vanish in "
                f"scale_dtype {self.scale_dtype!r}: {REMEDIES[self.scale_dtype]}"
            )
        return rounded


_NAMES = ("payload", "payload.refinement")


def _unmoved(stages: Any) -> NDArray[np.float16]:
    """Factors of shells that stay where the lattice has them."""
    return np.ones(int(stages[0].codebook.shells.max()) + 1, np.float16)


def _words(stages: Any, vectors: Vectors) -> Vectors:
    return nearest_words(stages, vectors)[1]


def _scaled(blocks: Vectors, scales: Vectors) -> Vectors:
    """Vectors over their block's scale, or as they are where that is zero."""
    return blocks / np.where(scales == 0, 1, scales)[:, None, None]


def _packed(indices: Points, width: int) -> NDArray[np.uint8]:
    """Indices of 4 k bits as k half-bytes each."""
    shifts = np.arange(0, width, 4)
    return pack((indices[:, None] >> shifts & 15).astype(np.uint8).reshape(-1), 4)


def _unpacked(packed: NDArray[np.uint8], width: int, count: int) -> Points:
    shifts = np.arange(0, width, 4)
    halves = unpack(packed, 4, count * shifts.size).reshape(count, -1)
    return np.asarray((halves.astype(np.int64) << shifts).sum(1))
