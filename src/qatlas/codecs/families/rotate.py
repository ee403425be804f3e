"""Any codec on weights that a random rotation has mixed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from qatlas.codecs.base import Codec, Context, Encoded, require_finite_matrix, requirements_of
from qatlas.codecs.hadamard import in_rows, mix, unmix
from qatlas.codecs.inner import create_inner
from qatlas.codecs.peers import package_of
from qatlas.codecs.registry import register
from qatlas.deferred import torch
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor


@register
@dataclass(frozen=True)
class Rotate:
    """Another codec, on weights mixed by a randomized Hadamard transform.

    ``inner`` names the codec and its parameters. ``side`` says what is mixed: the "input" channels
    (along rows), the "output" channels (along columns) or "both". Sizes that are not powers of two
    are mixed by the Kronecker product of a Hadamard and a Hartley matrix.

    Charged: what the inner codec stores. The signs come from ``seed``, a parameter, and cost
    nothing.

    Source: Chee et al. 2023 (arXiv 2307.13304); Tseng et al. 2024 (arXiv 2402.04396).
    """

    inner: dict[str, Any]
    side: Literal["input", "output", "both"] = "input"
    seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        self._codec  # noqa: B018  raises what is wrong with it

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
        """Those of the inner codec."""
        needed = requirements_of(self._codec)
        return replace(needed, parameter=f"inner.{needed.parameter}")

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Mix, then encode.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, or the inner codec refuses them.
        """
        require_finite_matrix(weight)
        mixed = weight.detach()
        if self.side != "output":
            mixed = in_rows(mix, mixed, self.seed)
        if self.side != "input":
            mixed = in_rows(mix, mixed.T, self.seed + 1).T
        return self._codec.encode(mixed, self._mixed_context(context))

    def decode(self, encoded: Encoded) -> "Tensor":
        """Decode, then undo the mixing; float32."""
        mixed = self._codec.decode(encoded)
        if self.side != "input":
            mixed = in_rows(unmix, mixed.T, self.seed + 1).T
        if self.side != "output":
            mixed = in_rows(unmix, mixed, self.seed, into=_overwritable(mixed, encoded))
        return mixed.contiguous()

    @property
    def _codec(self) -> Codec:
        return create_inner(self.inner)

    def _mixed_context(self, context: Context) -> Context:
        """Second moment of the inputs that the mixed weights meet."""
        h = context.second_moment
        if h is None or self.side == "output":
            return context
        half = in_rows(mix, h, self.seed)
        return replace(context, second_moment=in_rows(mix, half.T, self.seed).T)


def _overwritable(decoded: "Tensor", encoded: Encoded) -> "Tensor | None":
    """The decoded weights if nothing else needs their memory, so that a large matrix is held once.

    What some codecs decode is a view of what they store.
    """
    if decoded.dtype != torch.float32 or not decoded.is_contiguous():
        return None
    values = decoded.numpy()
    if not values.flags.writeable:
        return None
    shared = (np.may_share_memory(values, array) for array in encoded.arrays.values())
    return None if any(shared) else decoded
