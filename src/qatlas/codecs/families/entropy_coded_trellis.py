"""Entropy-coded trellis-coded quantization."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import CodecError, Context, Encoded, require_finite_matrix
from qatlas.codecs.entropy_coding.coder import (
    decode_streams,
    decode_symbols,
    encode_streams,
    encode_symbols,
)
from qatlas.codecs.registry import register
from qatlas.codecs.trellises.rate_control import (
    FARTHEST_LEVEL,
    OFFSETS,
    levels_to_steps,
    quantize_at_rate,
)
from qatlas.codecs.trellises.ungerboeck import by_superset, levels_along_path, trellis
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_CODED = ("payload", "payload.offsets", "table")
_CLASSES_PER_OCTAVE = 2
_FARTHEST_CLASS = 12


@register
@dataclass(frozen=True)
class EntropyCodedTrellis:
    """Levels of equal distance along the cheapest path through a trellis, entropy-coded.

    Each state allows every other level; which ones come next follows from the levels
    themselves, so no path is stored. The path starts in state 0, which is known and free. Error
    and code length are minimised together, and the step is searched for the wanted rate. With
    "channel", output channels are sorted into classes of half an octave by root mean square,
    each coded with tables of its own. The step remains that of the tensor: where bits go by the
    entropy, that is the best for squared error, and a scale a channel would be worse.

    Charged: entropy-coded levels, all histograms that decode them, step and mean in float32, 8
    bytes by which levels 1 to 8 are moved to their centroids, and the coded classes of the
    channels. All this together is ``rate``, within about 0.002 bit from some ten thousand weights
    on; fewer weights, or weights of too few distinct values, may need more or less.

    Source: Fischer & Wang, "Entropy-constrained trellis-coded quantization", IEEE Trans. Inf.
    Theory 38 (1992); Marcellin, "On entropy-constrained trellis coded quantization", IEEE Trans.
    Commun. 42 (1994).

    Attributes
    ----------
    rate
        Bits per weight, side information included.
    states
        States of the trellis; the distance to Shannon's bound is 0.075 bit with 8 and 0.035
        with 256, at about any rate.
    granularity
        Whose levels share histograms: all, or those of channels of like deviation.
    """

    rate: Annotated[float, Field(ge=0.5, le=8)]
    states: Literal[4, 8, 16, 32, 64, 128, 256] = 256
    granularity: Literal["tensor", "channel"] = "tensor"

    @property
    def nominal_bits(self) -> float:
        """The wanted rate."""
        return float(self.rate)

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Search for step, code lengths and path; code.

        Raises
        ------
        CodecError
            If the weights are not a finite floating-point matrix, or float32 cannot hold them or
            the step.
        """
        require_finite_matrix(weight)
        values, mean = _centred(weight)
        classes = self._classes(values)
        contexts = np.repeat(classes, values.shape[1])
        stored_classes = encode_symbols(classes) if self.granularity == "channel" else {}
        side_bits = 8 * (8 + OFFSETS + sum(array.nbytes for array in stored_classes.values()))
        if values.any():
            found = quantize_at_rate(
                values.reshape(-1),
                contexts,
                trellis(self.states),
                self.rate * values.size - side_bits,
                context.generator,
            )
            step, offsets, levels = found.step, found.offsets, found.levels
        else:
            step, offsets = 0.0, np.zeros(OFFSETS, np.int8)
            levels = np.zeros(values.size, np.int32)
        streams = by_superset(levels, contexts, int(classes.max(initial=0)) + 1)
        coded = encode_streams(streams)
        return Encoded(
            tuple(weight.shape),
            {
                "payload": coded["payload"],
                "payload.offsets": coded["payload.offsets"],
                "codebook.histograms": coded["table"],
                "codebook.centroids": offsets,
                "scale": np.array([step], np.float32),
                "zero_point": np.array([mean], np.float32),
                **{f"channels.{name}": array for name, array in stored_classes.items()},
            },
        )

    def decode(self, encoded: Encoded) -> "Tensor":
        """Follow the trellis and scale the levels; float32."""
        arrays = encoded.arrays
        rows, columns = encoded.shape
        classes = np.zeros(rows, np.uint8)
        if self.granularity == "channel":
            stored = {name: arrays[f"channels.{name}"] for name in _CODED}
            classes = decode_symbols(stored, rows).astype(np.uint8)
        names = ("payload", "payload.offsets", "codebook.histograms")
        coded = {name: arrays[key] for name, key in zip(_CODED, names, strict=True)}
        streams = decode_streams(coded, 2 * (int(classes.max(initial=0)) + 1))
        levels = levels_along_path(streams, np.repeat(classes, columns), trellis(self.states))
        steps = levels_to_steps(levels, arrays["codebook.centroids"])
        steps *= arrays["scale"]
        steps += arrays["zero_point"]
        return torch.from_numpy(steps).reshape(encoded.shape)

    def _classes(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Class of each row, numbered from 0; uint8, shape (rows,)."""
        if self.granularity == "tensor" or not values.any():
            return np.zeros(values.shape[0], np.uint8)
        power = np.array([np.mean(np.square(row, dtype=np.float64)) for row in values])
        with np.errstate(divide="ignore"):
            octaves = 0.5 * np.log2(power / power.mean())
        classes = np.rint(_CLASSES_PER_OCTAVE * octaves)
        classes = np.clip(classes, -_FARTHEST_CLASS, _FARTHEST_CLASS)
        return np.unique(classes, return_inverse=True)[1].astype(np.uint8)


def _centred(weight: "Tensor") -> tuple[NDArray[np.float32], np.float32]:
    """Weights less their mean, float32, and the mean.

    Raises
    ------
    CodecError
        If the largest does not fit float32, or is too small for a step of it.
    """
    values = weight.detach().to("cpu", torch.float32).contiguous().numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.float32(np.mean(values, dtype=np.float64)) if values.size else np.float32(0)
        values = values - mean
    largest = float(np.abs(values).max(initial=0))
    if not np.isfinite(largest) or 0 < largest < FARTHEST_LEVEL * np.finfo(np.float32).tiny:
        raise CodecError(
            f"weights of at most {weight.abs().max():.3g} are beyond what a step in float32 can "
            f"divide, {FARTHEST_LEVEL * np.finfo(np.float32).tiny:.3g} to "
            f"{np.finfo(np.float32).max:.3g}: rescale the weights"
        )
    return values, mean
