"""transformers' Mamba with a fast scan: the same weights, names and logits.

Without further packages transformers scans one time step after the other, and a step of training
takes minutes on a CPU. Only the mixers' forward pass is replaced, on the model as it is, so that
it is saved and loaded as transformers' own.
"""

from typing import Any, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor
from transformers.models.mamba.modeling_mamba import MambaMixer, apply_mask_to_padding_states

from qatlas.models.architectures.selective_scan import selective_scan

Model = TypeVar("Model", bound=torch.nn.Module)


def use_fast_scan(model: Model) -> Model:
    """The same model, in which every mixer of transformers' Mamba has a fast forward pass."""
    for module in model.modules():
        if type(module) is MambaMixer:
            module.__class__ = FastMambaMixer
    return model


class FastMambaMixer(MambaMixer):
    """A Mamba mixer that scans whole sequences fast; with a cache it is transformers' own."""

    def forward(
        self,
        hidden_states: Tensor,
        cache_params: Any = None,
        attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Map (batch, time, hidden) to the same shape.

        The scan itself is made in float32, whatever the dtype of the weights.
        """
        if cache_params is not None:
            cached: Tensor = super().forward(hidden_states, cache_params, attention_mask, **kwargs)
            return cached
        hidden_states = apply_mask_to_padding_states(hidden_states, attention_mask)
        inputs, gate = self.in_proj(hidden_states).chunk(2, dim=-1)
        inputs = self.act(self._convolved(inputs))
        inputs = apply_mask_to_padding_states(inputs, attention_mask)
        step, write, read = torch.split(
            self.x_proj(inputs),
            [self.time_step_rank, self.ssm_state_size, self.ssm_state_size],
            dim=-1,
        )
        steps = F.softplus(self.dt_proj(step))
        decay = -torch.exp(self.A_log.float())
        scanned = selective_scan(inputs.float(), steps.float(), decay, write.float(), read.float())
        outputs = (scanned + inputs * self.D.float()) * F.silu(gate)
        projected: Tensor = self.out_proj(outputs.to(hidden_states.dtype))
        return projected

    def _convolved(self, inputs: Tensor) -> Tensor:
        """Causal convolution over time, each channel with its own kernel."""
        kernel = self.conv1d.weight.squeeze(1)
        width, length = kernel.shape[1], inputs.shape[1]
        padded = F.pad(inputs, (0, 0, width - 1, 0))
        total = padded[:, width - 1 :] * kernel[:, width - 1]
        for k in range(width - 1):
            total = total + padded[:, k : k + length] * kernel[:, k]
        return total if self.conv1d.bias is None else total + self.conv1d.bias
