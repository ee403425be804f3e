"""What a quantizer is: the codec protocol, what it stores, and what it may know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import ml_dtypes  # noqa: F401  teaches numpy the names bfloat16 and float8_*
import numpy as np
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("payload", "scale", "zero_point", "codebook", "other")
"""What stored bits are charged to; an array's name up to its first dot names its part."""


class CodecError(AtlasError):
    """A codec was given parameters or weights that it cannot take."""


@dataclass(frozen=True)
class Context:
    """What a codec may know besides the weights.

    Attributes
    ----------
    generator
        Source of randomness; jobs derive its seed from config and names.
    second_moment
        H = E[x x^T] of the layer's input, shape (columns, columns), for calibrated codecs.
    """

    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    second_moment: "Tensor | None" = None


@dataclass(frozen=True)
class Encoded:
    """A quantized tensor as it is stored: named, packed arrays and the shape.

    The size of the arrays is the rate: whatever ``decode`` needs and the codec's parameters
    do not say must be in them.

    Attributes
    ----------
    train_mse
        Mean squared error on the sample of the weights that a codec was trained on, for those
        that are: known when it is made, neither charged nor saved, of no use to ``decode``.
    """

    shape: tuple[int, ...]
    arrays: Mapping[str, NDArray[Any]]
    train_mse: float | None = None

    def bits(self) -> dict[str, int]:
        """Stored bits of each of ``PARTS``; names outside them count as "other"."""
        bits = dict.fromkeys(PARTS, 0)
        for name, array in self.arrays.items():
            part = name.partition(".")[0]
            bits[part if part in PARTS else "other"] += 8 * array.nbytes
        return bits

    def save(self, path: str | Path) -> None:
        """Write the arrays and the shape as one safetensors file."""
        from safetensors.torch import save_file

        tensors = {
            name: as_tensor(np.ascontiguousarray(array)) for name, array in self.arrays.items()
        }
        with replacing(path) as unfinished:
            save_file(tensors, unfinished, {"shape": ",".join(map(str, self.shape))})

    @classmethod
    def load(cls, path: str | Path) -> "Encoded":
        """Read what ``save`` wrote, bit for bit.

        Raises
        ------
        CodecError
            If the file is not one that ``save`` wrote.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as stored:
                shape = tuple(int(side) for side in (stored.metadata() or {})["shape"].split(","))
                arrays = {name: as_array(stored.get_tensor(name)) for name in stored.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise CodecError(f"{path}: not an encoded tensor ({error})") from error
        return cls(shape, arrays)


def as_tensor(array: NDArray[Any]) -> "Tensor":
    """Tensor on the memory of a C-contiguous array, of the same dtype."""
    return torch.from_numpy(array.view(np.uint8)).view(getattr(torch, array.dtype.name))


def as_array(tensor: "Tensor") -> NDArray[Any]:
    """Array on the memory of a contiguous tensor of the CPU, of the same dtype."""
    dtype = np.dtype(str(tensor.dtype).removeprefix("torch."))
    return tensor.view(torch.uint8).numpy().view(dtype)


def unfilled(shape: tuple[int, ...]) -> "Tensor":
    """Float32 tensor on the CPU for what is decoded, to be written to.

    Large memory is NumPy's, which asks for huge pages: a fault for every small one costs more
    than writing to it.
    """
    return torch.from_numpy(np.empty(shape, np.float32))


@runtime_checkable
class Codec(Protocol):
    """A quantizer: a frozen dataclass whose fields are its parameters.

    ``encode`` takes a floating-point matrix, shape (output channels, input channels), on any
    device, and raises ``CodecError`` for weights it cannot take; ``decode`` gives back float32
    of the same shape on the CPU. Decoding the same ``Encoded`` twice gives the same values.

    A codec that does not take rows of every length, or needs H, says so in a property
    ``requirements`` (a ``Requirements``), so that it is refused before any job starts; one that
    wraps another passes on what that says. A codec without it needs nothing.
    """

    @property
    def nominal_bits(self) -> float:
        """Bits per weight as the method's name advertises them, side information left out."""
        ...

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Quantize and pack."""
        ...

    def decode(self, encoded: Encoded) -> "Tensor":
        """Reconstruct."""
        ...


def requirements_of(codec: Codec) -> Requirements:
    """What a codec needs besides a finite matrix."""
    stated: Requirements = getattr(codec, "requirements", Requirements())
    return stated


def finite_float32(weight: "Tensor") -> "Tensor":
    """The weights in float32, contiguous, on the CPU.

    Raises
    ------
    CodecError
        If they are no finite floating-point matrix, or float32 does not hold them.
    """
    require_finite_matrix(weight)
    values = weight.detach().to("cpu", torch.float32).contiguous()
    if not all_finite(values):
        raise CodecError("the weights are beyond the range of float32: rescale the weights")
    return values


def require_finite_matrix(weight: "Tensor") -> None:
    """Refuse what is not a finite floating-point matrix.

    Raises
    ------
    CodecError
        As ``require_matrix`` and ``require_finite``.
    """
    require_matrix(weight)
    require_finite(weight)


def require_matrix(weight: "Tensor") -> None:
    """Refuse what is not a floating-point matrix, without a look at the weights.

    Raises
    ------
    CodecError
        If the tensor is not two-dimensional or not floating-point of 16 bits or more.
    """
    if weight.ndim != 2 or not weight.is_floating_point() or weight.element_size() < 2:
        raise CodecError(
            "a codec takes a matrix of float16, bfloat16, float32 or float64; found "
            f"{weight.dtype} of shape {tuple(weight.shape)}"
        )


def require_finite(weight: "Tensor") -> None:
    """Refuse weights that hold NaN or Inf.

    Raises
    ------
    CodecError
        If they do.
    """
    if not all_finite(weight):
        raise CodecError("the weights hold NaN or Inf; a codec takes finite weights only")


def all_finite(values: "Tensor") -> bool:
    """Whether no value is NaN or Inf: these show in the smallest and largest, in one fast pass."""
    return not values.numel() or bool(torch.isfinite(torch.stack(torch.aminmax(values))).all())
