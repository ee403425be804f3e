"""Any codec, on blocks of columns with error feedback between them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qatlas.codecs.base import Codec, Context, Encoded, require_finite_matrix, requirements_of
from qatlas.codecs.calibrated.feedback import (
    blocks_of,
    feedback_between_blocks,
    quantize_with_feedback,
    second_moment_within,
)
from qatlas.codecs.calibrated.second_moment import damped, inverse_factor, second_moment_for
from qatlas.codecs.calibrated.weights import singles
from qatlas.codecs.inner import create_inner
from qatlas.codecs.peers import package_of
from qatlas.codecs.registry import register
from qatlas.deferred import torch
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class Ldlq:
    """Another codec on blocks of columns, each after earlier ones' losses were made up for.

    Needs H = E[x x^T]. ``inner`` names the codec and its parameters. Each block of
    ``block_columns`` neighbouring columns is a matrix of its own to it; its loss is moved onto the
    columns to come, as far as their inputs are correlated. Within a block there is no feedback, but
    an inner codec that takes H is given what matters there, H given the columns before.
    ``gptq`` inside, with groups that divide the blocks, is ``gptq``.

    Charged: what the inner codec stores for every block: scales, means, codebooks and histograms
    are a block's own, not shared between blocks, so that one "tensor" is a block and one "channel"
    a row of a block. An inner codec that stores much beside its codes wants wide blocks.

    Source: LDLQ of QuIP, Chee et al. 2023 (arXiv 2307.13304); with blocks, QuIP#, Tseng et al. 2024
    (arXiv 2402.04396) and QTIP (arXiv 2406.11235), which has blocks of 16 columns.

    Attributes
    ----------
    block_columns
        Columns of a block; the last may have fewer.
    damping
        Share of the mean diagonal of H that is added to its diagonal.
    """

    inner: dict[str, Any]
    block_columns: Annotated[int, Field(ge=1)] = 16
    damping: Annotated[float, Field(ge=0, le=1)] = 0.01

    def __post_init__(self) -> None:
        needed = requirements_of(self._codec)
        if not needed.take_row_of(self.block_columns):
            raise ValueError(
                f"block_columns should suit inner.{needed.parameter}, which takes rows of at least "
                f"{needed.columns} weights and a multiple of {needed.multiple_of}; found "
                f"{self.block_columns}"
            )

    @property
    def nominal_bits(self) -> float:
        """Those of the inner codec."""
        return self._codec.nominal_bits

    @property
    def package(self) -> str | None:
        """That of the inner codec."""
        return package_of(self._codec)

    @property
    def requirements(self) -> Requirements:
        """H, and whole blocks where the inner codec does not take rows of every length."""
        if requirements_of(self._codec).any_row_will_do:
            return Requirements(second_moment=True)
        return Requirements(
            multiple_of=self.block_columns,
            second_moment=True,
            parameter="block_columns",
            remedy="take a divisor of {columns}",
        )

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Encode block after block.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, H is missing or does not fit them, or the inner
            codec refuses a block.
        """
        require_finite_matrix(weight)
        shape, values = tuple(weight.shape), singles(weight)
        if not values.numel():
            return Encoded(shape, {"payload": np.empty(0, np.uint8)})
        factor = inverse_factor(damped(second_moment_for(values, context), self.damping))
        blocks = blocks_of(shape[1], self.block_columns)
        feedback = feedback_between_blocks(factor, blocks)
        arrays: dict[str, NDArray[Any]] = {}

        def quantize(current: "Tensor", block: slice) -> "Tensor":
            here = current[:, block].float().contiguous()
            known = replace(context, second_moment=second_moment_within(factor, block))
            encoded = self._codec.encode(here, known)
            number = _number(block, self.block_columns)
            arrays.update({f"{name}.{number}": array for name, array in encoded.arrays.items()})
            return current[:, block] - self._codec.decode(encoded).to(current)

        quantize_with_feedback(values.double(), feedback, blocks, quantize)
        return Encoded(shape, arrays)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Decode the blocks and put them side by side; float32."""
        rows, columns = encoded.shape
        weight = torch.empty(encoded.shape)
        if not weight.numel():
            return weight
        codec = self._codec
        stored: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in encoded.arrays.items():
            inner, _, number = name.rpartition(".")
            stored.setdefault(number, {})[inner] = array
        for block in blocks_of(columns, self.block_columns):
            arrays = stored[_number(block, self.block_columns)]
            shape = (rows, block.stop - block.start)
            weight[:, block] = codec.decode(Encoded(shape, arrays))
        return weight

    @property
    def _codec(self) -> Codec:
        return create_inner(self.inner)


def _number(block: slice, width: int) -> str:
    """The last part of the names of a block's arrays."""
    return str(block.start // width)
