"""Data types of four and eight bits whose blocks share a scale."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from qatlas.codecs.base import CodecError, Context, Encoded, require_finite_matrix, unfilled
from qatlas.codecs.blocks import Granularity, requirements_of_groups, row_chunks, split
from qatlas.codecs.number_formats.data_types import (
    DataType,
    data_type,
    nearest_codes,
    rounding_to,
    scaled_levels,
)
from qatlas.codecs.number_formats.scales import (
    LLAMA_SCALE,
    SCALES,
    ScaleStorage,
    Singles,
    exact_scale,
    inverse_of,
    largest_magnitude,
    largest_weight,
)
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.registry import register
from qatlas.codecs.storage import REMEDIES
from qatlas.deferred import torch
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor

Name = Literal[
    "nf4",
    "sf4",
    "fp4_bitsandbytes",
    "fp4_e2m1",
    "int4",
    "fp8_e4m3",
    "fp8_e5m2",
    "mxfp4",
    "nvfp4",
    "q4_0",
    "q8_0",
]
ScaleDtype = Literal["float32", "float16", "bfloat16", "e8m0", "e4m3", "double_quantized"]

_FLOATS: tuple[ScaleDtype, ...] = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Format:
    """A row of the table of formats: what a format fixes.

    Attributes
    ----------
    data_type
        Name of the levels.
    scale_dtypes
        Those allowed; the first is the format's own.
    granularity
        The format's own, and the only one unless ``any_granularity``.
    reach
        The weight of each block that is scaled to the top level.
    storage
        Where the format's scales are not stored as their dtype says.
    """

    data_type: str
    scale_dtypes: tuple[ScaleDtype, ...]
    granularity: Granularity
    any_granularity: bool = False
    reach: Callable[[Singles], Singles] = largest_magnitude
    storage: ScaleStorage | None = None


def _free(data_type: str, granularity: Granularity, scale_dtypes: tuple[ScaleDtype, ...]) -> Format:
    return Format(data_type, scale_dtypes, granularity, any_granularity=True)


_FOR_TABLES: tuple[ScaleDtype, ...] = (*_FLOATS, "e4m3", "double_quantized")
_FOR_FLOATS: tuple[ScaleDtype, ...] = (*_FLOATS, "e4m3", "e8m0")

FORMATS: dict[str, Format] = {
    "nf4": _free("nf4", 64, _FOR_TABLES),
    "sf4": _free("sf4", 64, _FOR_TABLES),
    "fp4_bitsandbytes": _free("fp4_bitsandbytes", 64, _FOR_TABLES),
    "int4": _free("int4", 64, _FOR_TABLES),
    "fp4_e2m1": _free("fp4_e2m1", 32, _FOR_FLOATS),
    "fp8_e4m3": _free("fp8_e4m3", "tensor", _FOR_FLOATS),
    "fp8_e5m2": _free("fp8_e5m2", "tensor", _FOR_FLOATS),
    "mxfp4": Format("fp4_e2m1", ("e8m0",), 32),
    "nvfp4": Format("fp4_e2m1", ("e4m3",), 16),
    "q4_0": Format("q4_0", ("float16",), 32, reach=largest_weight, storage=LLAMA_SCALE),
    "q8_0": Format("q8_0", ("float16",), 32, storage=LLAMA_SCALE),
}


@register
@dataclass(frozen=True)
class Formats:
    """Block formats: a table of levels, and a scale a block from its largest weight.

    Blocks run along rows, and the last of a row may be short. ``granularity`` and
    ``scale_dtype`` left out are the format's own. Scale dtypes beside the three floats: "e8m0",
    the power of two 2^(floor(log2 of the largest weight) - floor(log2 of the largest level)), past
    which weights saturate; "e4m3", relative to one float32 a tensor that makes the largest
    scale 448; "double_quantized", less their mean, 8-bit dynamic numbers in blocks of 256.

    Agreement: "nf4", "fp4_bitsandbytes", "q4_0" and "q8_0" decode to the values of bitsandbytes
    0.50 and gguf 0.19 bit for bit, with the codes of these, except that bitsandbytes' FP4 has two
    codes of zero. Its blocks run over the flattened tensor, which is the same where the columns
    are a multiple of the block. Double quantization differs from its CPU kernel in about three
    scales of a thousand, which that kernel rounds to one of 65,536 steps before it looks for the
    nearest number, and in the last digit of the mean, which depends there on the threads and is
    summed here in double precision. "mxfp4" goes by the OCP specification, with ties to even;
    gguf has the same rule for the scale, but takes the lower magnitude of a tie, and its
    single-precision logarithm doubles the scale of a block whose largest weight lies within
    rounding error below a power of two.

    Charged: codes of 4 or 8 bits; scales in their dtype, with "e4m3" a float32 a tensor, with
    "double_quantized" a float32 each 256 scales and one a tensor for the mean. Levels are part of
    the format.

    Source: nf4, double quantization: QLoRA, arXiv 2305.14314. sf4: arXiv 2405.03103. mxfp4,
    e8m0: OCP Microscaling Formats v1.0, arXiv 2310.10537. nvfp4: arXiv 2509.25149. fp8: arXiv
    2209.05433. fp4_bitsandbytes: bitsandbytes. q4_0, q8_0: llama.cpp.
    """

    data_type: Name
    granularity: Granularity | None = None
    scale_dtype: ScaleDtype | None = None

    def __post_init__(self) -> None:
        own = FORMATS[self.data_type]
        granularity = own.granularity if self.granularity is None else self.granularity
        scale_dtype = self.scale_dtype or own.scale_dtypes[0]
        if granularity != own.granularity and not own.any_granularity:
            raise ValueError(
                f"granularity of data_type {self.data_type!r} should be {own.granularity}; "
                f"found {granularity!r}"
            )
        if scale_dtype not in own.scale_dtypes:
            raise ValueError(
                f"scale_dtype of data_type {self.data_type!r} should be "
                f"{' or '.join(map(repr, own.scale_dtypes))}; found {scale_dtype!r}"
            )
        # What is left out is filled in, so that every record says what was measured.
        object.__setattr__(self, "granularity", granularity)
        object.__setattr__(self, "scale_dtype", scale_dtype)

    @property
    def nominal_bits(self) -> float:
        """Bits of a code."""
        return float(self._data_type.bits)

    @property
    def requirements(self) -> Requirements:
        """Rows as long as a block."""
        needed = requirements_of_groups(cast(Granularity, self.granularity))
        if FORMATS[self.data_type].any_granularity:
            return needed
        return replace(
            needed,
            parameter="data_type",
            remedy="take a data_type with blocks of at most {columns}",
        )

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Scale the largest weight of each block to the largest level, and round to levels.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, a block is longer than a row, a scale does not
            fit its dtype, or all scales vanish in it.
        """
        require_finite_matrix(weight)
        reach = self._reach(weight)
        arrays = self._storage.store(reach, self._data_type.top)
        scale = self._storage.restore(arrays)
        self._require_useful(reach, scale)
        if not self._storage.rounds_first:
            scale = exact_scale(reach, self._data_type.top)
        inverse = inverse_of(scale)
        rule = rounding_to(FORMATS[self.data_type].data_type)
        codes = np.empty(weight.shape, np.uint8)
        for values, found, blocks in self._parts(weight, torch.from_numpy(codes)):
            factors = _per_block(inverse, values, blocks)
            for rows in row_chunks(values):
                nearest_codes(_singles(values[rows]), factors[rows], rule, found[rows].numpy())
        payload = pack(codes.reshape(-1), self._data_type.bits)
        return Encoded(tuple(weight.shape), {"payload": payload, **arrays})

    def decode(self, encoded: Encoded) -> "Tensor":
        """Levels of the codes times the scales of their blocks; float32."""
        weight = unfilled(encoded.shape)
        payload = unpack(encoded.arrays["payload"], self._data_type.bits, weight.numel())
        codes = torch.from_numpy(payload).view(encoded.shape)
        scale = self._storage.restore(encoded.arrays)
        for found, values, blocks in self._parts(codes, weight):
            factors = _per_block(scale, found, blocks)
            scaled_levels(found.numpy(), factors, self._data_type.levels, values.numpy())
        return weight

    @property
    def _data_type(self) -> DataType:
        return data_type(FORMATS[self.data_type].data_type)

    @property
    def _storage(self) -> ScaleStorage:
        return FORMATS[self.data_type].storage or SCALES[str(self.scale_dtype)]

    def _parts(self, *matrices: "Tensor") -> Iterator[tuple["Tensor", "Tensor", slice]]:
        """Parts of two matrices cut into blocks alike, and which blocks of a row they are."""
        first = 0
        for one, other in zip(*map(self._split, matrices), strict=True):
            yield one, other, slice(first, first + one.shape[1])
            first += one.shape[1]

    def _split(self, matrix: "Tensor") -> tuple["Tensor", ...]:
        granularity, columns = cast(Granularity, self.granularity), matrix.shape[1]
        if isinstance(granularity, int) and granularity > columns > 0:
            raise CodecError(
                f"granularity: a block of {granularity} weights of data_type {self.data_type!r} is "
                f"longer than a row of {columns}; take a format with blocks of at most {columns}"
            )
        return split(matrix, granularity)

    def _reach(self, weight: "Tensor") -> Singles:
        """Largest weight of each block; shape (rows, blocks), or (1, 1) for the whole tensor."""
        of_blocks = FORMATS[self.data_type].reach
        columns = []
        for values in self._split(weight):
            reach = np.empty(values.shape[:2], np.float32)
            for rows in row_chunks(values):
                reach[rows] = of_blocks(_singles(values[rows]))
            columns.append(reach)
        reach = np.concatenate(columns, axis=1)
        if self.granularity == "tensor":
            reach = np.max(reach, initial=0, keepdims=True)
        return reach

    def _require_useful(self, reach: Singles, scale: Singles) -> None:
        fits = np.isfinite(reach).all() and np.isfinite(scale).all()
        if fits and (scale.any() or not reach.any()):
            return
        problem = "all vanish in" if fits else "do not fit"
        others = len(FORMATS[self.data_type].scale_dtypes) > 1
        remedy = REMEDIES.get(str(self.scale_dtype)) if others else None
        raise CodecError(
            f"data_type {self.data_type!r} with weights of at most {np.abs(reach).max():.3g} has "
            f"scales that {problem} scale_dtype {self.scale_dtype!r}: "
            f"{remedy or 'rescale the weights'}"
        )


def _singles(values: "Tensor") -> Singles:
    """Values as a contiguous float32 array; numpy converts, in one thread, which is no slower."""
    values = values.detach().cpu()
    if values.dtype == torch.bfloat16:
        halves: NDArray[Any] = values.view(torch.uint16).numpy().view("bfloat16")
        return np.ascontiguousarray(halves, np.float32)
    with np.errstate(over="ignore"):  # of float64; what does not fit is refused with its scale
        return np.ascontiguousarray(values.numpy(), np.float32)


def _per_block(numbers: Singles, values: "Tensor", blocks: slice) -> Singles:
    """One number a block of ``values``, from one a block of the matrix or one for all."""
    return np.array(np.broadcast_to(numbers[:, blocks], values.shape[:2]))
