"""Any codec, on weights whose columns are scaled by how active their inputs are."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from qatlas.codecs.base import Codec, Context, Encoded, require_finite_matrix, requirements_of
from qatlas.codecs.calibrated.second_moment import second_moment_for
from qatlas.codecs.calibrated.weights import singles
from qatlas.codecs.inner import create_inner
from qatlas.codecs.output_error import output_error
from qatlas.codecs.peers import package_of
from qatlas.codecs.registry import register
from qatlas.codecs.storage import restored, stored
from qatlas.deferred import torch
from qatlas.requirements import Requirements

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 1e-4
"""Activation relative to the largest below which a column is scaled as if it had this."""

_SEARCH_ROWS = 512


@register
@dataclass(frozen=True)
class Awq:
    """Another codec on columns multiplied by a power of their activation, and divided again.

    Needs H = E[x x^T]. ``inner`` names the codec and its parameters. A column's scale is
    s = a^alpha, a the root mean square of its input (the paper has the mean magnitude, which H does
    not tell), made to have the geometric mean 1 of its ends. Of ``steps`` values of alpha from 0 up
    to below 1, the one of least output error is taken, tried on up to 512 evenly spaced rows.
    With alpha = 0 this is the inner codec.

    Charged: what the inner codec stores; a float16 scale a column ("scale.columns"), though a
    layer before could take them over at no cost.

    Source: Lin et al. 2023 (arXiv 2306.00978), section 3.2.

    Attributes
    ----------
    steps
        Values of alpha that are tried; they are multiples of 1 / steps.
    """

    inner: dict[str, Any]
    steps: Annotated[int, Field(ge=1, le=100)] = 20

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
        """H, and what the inner codec needs."""
        needed = requirements_of(self._codec)
        return replace(needed, second_moment=True, parameter=f"inner.{needed.parameter}")

    def encode(self, weight: "Tensor", context: Context) -> Encoded:
        """Search for alpha, scale, then encode.

        Raises
        ------
        CodecError
            If the weights are not a finite matrix, H is missing or does not fit them, or the inner
            codec refuses the scaled weights.
        """
        require_finite_matrix(weight)
        values = singles(weight)
        h = second_moment_for(values, context)
        if not values.numel():
            return self._scaled(values, h, values.new_ones(values.shape[1]), context)
        activation = h.diagonal().clamp(min=0).sqrt()
        sample = values[:: -(-len(values) // _SEARCH_ROWS)]
        candidates = [_scales(activation, step / self.steps) for step in range(self.steps)]
        errors = [
            output_error(sample, self.decode(self._scaled(sample, h, scales, context)), h)
            for scales in candidates
        ]
        return self._scaled(values, h, candidates[int(np.argmin(errors))], context)

    def decode(self, encoded: Encoded) -> "Tensor":
        """Decode, then divide each column by its scale; float32."""
        arrays = dict(encoded.arrays)
        scales = restored(arrays.pop(_NAME))
        return self._codec.decode(Encoded(encoded.shape, arrays)) / scales

    def _scaled(self, rows: "Tensor", h: "Tensor", scales: "Tensor", context: Context) -> Encoded:
        """Encode rows times scales, which meet inputs over scales."""
        of_inputs = h / torch.outer(scales, scales)
        encoded = self._codec.encode(rows * scales, replace(context, second_moment=of_inputs))
        return Encoded(encoded.shape, {**encoded.arrays, _NAME: stored(scales, "float16")})

    @property
    def _codec(self) -> Codec:
        return create_inner(self.inner)


_NAME = "scale.columns"


def _scales(activation: "Tensor", alpha: float) -> "Tensor":
    """Scale of each column as it is stored, float32."""
    powers = (activation / activation.max()).clamp(min=_LEAST) ** alpha
    return (powers / (powers.max() * powers.min()).sqrt()).half().float()
