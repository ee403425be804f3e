"""A linear layer that multiplies by table, and a language model all of whose layers do."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qatlas.errors import AtlasError
from qatlas.lut.language_models.levels import OnLevels
from qatlas.lut.language_models.multipliers import Multiplier
from qatlas.models.layers import Layer, linear_layers

Floats = NDArray[np.float64]


class TableLinear(torch.nn.Module):
    """A linear layer without a weight: it has codes, and multiplies them with the input's.

    What reads the weight of a layer itself, rather than call the layer, fails: nothing can pass the
    table by.

    Parameters
    ----------
    weight
        On levels, shape (output channels, input channels).
    bias
        Float, shape (output channels,), if there is one; it is added in float64.
    encode
        From the input, float64, shape (tokens, input channels), to levels.
    multiplier
        Of codes of the input and of the weight.
    """

    def __init__(
        self,
        weight: OnLevels,
        bias: Tensor | None,
        encode: Callable[[Floats], OnLevels],
        multiplier: Multiplier,
    ) -> None:
        super().__init__()
        self._codes = np.ascontiguousarray(weight.codes.T)
        self._scales = weight.scales
        self._bias = None if bias is None else bias.detach().double().numpy()
        self._encode, self._multiply = encode, multiplier
        self.calls = 0

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (..., input channels) to (..., output channels), of the same dtype."""
        self.calls += 1
        encoded = self._encode(inputs.detach().flatten(0, -2).double().numpy())
        outputs = self._multiply(encoded.codes, self._codes)
        outputs = outputs * encoded.scales[:, None] * self._scales
        if self._bias is not None:
            outputs = outputs + self._bias
        shaped: Tensor = torch.from_numpy(outputs).to(inputs.dtype).unflatten(0, inputs.shape[:-1])
        return shaped


def by_table(model: Any, keep: Sequence[str], linear: Callable[[Layer], TableLinear]) -> Any:
    """A copy of a model, on the CPU, in which every linear layer is replaced.

    Parameters
    ----------
    model
        Causal language model of transformers' kind.
    keep
        Name patterns of weights whose layers stay.
    linear
        The layer that takes the place of one.
    """
    changed = deepcopy(model)
    for layer in linear_layers(changed, keep):
        parent, _, name = layer.tensor.removesuffix(".weight").rpartition(".")
        setattr(changed.get_submodule(parent), name, linear(layer))
    return changed


def require_used(model: Any) -> None:
    """Refuse a model that has run without calling one of its layers that multiply by table.

    Raises
    ------
    AtlasError
        If there is such a layer.
    """
    for name, module in model.named_modules():
        if isinstance(module, TableLinear) and not module.calls:
            raise AtlasError(
                f"layer {name}: the forward pass never called it, so that its products were not "
                f"looked up; add {name}.weight to function.keep"
            )
