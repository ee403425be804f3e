"""The layers of a model whose weights are quantized."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.weights.roles import Role, role_from_name

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Layer:
    """A linear layer.

    Attributes
    ----------
    tensor
        Name of its weight among the model's parameters.
    module
        The layer itself.
    transposed
        Whether the weight is stored as (input, output) channels, as GPT-2's is.
    """

    tensor: str
    module: Any
    transposed: bool

    @property
    def weight(self) -> "Tensor":
        """View of the weight, shape (output channels, input channels)."""
        stored: Tensor = self.module.weight.detach()
        return stored.T if self.transposed else stored

    @property
    def role(self) -> Role:
        """Kind and place in the stack of layers, by its name."""
        return role_from_name(self.tensor, tuple(self.weight.shape))

    def write(self, weight: "Tensor") -> None:
        """Replace the weight in place, shape (output channels, input channels).

        In place, since compiled and fused forward passes read the parameter itself.
        """
        with torch.no_grad():
            self.weight.copy_(weight)


def linear_layers(model: Any, keep: Sequence[str]) -> list[Layer]:
    """Linear layers of a causal language model, in its order, but for the head.

    Parameters
    ----------
    keep
        Name patterns of weights that are not to be quantized.

    Raises
    ------
    AtlasError
        If none is left.
    """
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    found = [
        Layer(f"{name}.weight", module, isinstance(module, Conv1D))
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head
    ]
    layers = [layer for layer in found if not any(fnmatch(layer.tensor, p) for p in keep)]
    if not layers:
        raise AtlasError(
            f"no linear layer is left to quantize: the model has {len(found)}, and "
            f"function.keep keeps {', '.join(keep) or 'none'}; keep fewer"
        )
    return layers
