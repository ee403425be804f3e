"""The selective scan of Mamba: h_t = exp(dt_t A) h_(t-1) + dt_t x_t B_t, y_t = C_t . h_t.

Source: Gu & Dao 2023, "Mamba: Linear-time sequence modeling with selective state spaces"
(arXiv 2312.00752), algorithm 2. Three forms, tested equal: ``plain_scan`` as it is written,
``chunked_scan`` in few and large operations for a GPU, and a compiled one with its exact adjoint
for the CPU. Each has no state before the first time step.
"""

from typing import Any

import torch
from torch import Tensor

from qatlas.models.architectures import scan_kernels
from qatlas.models.architectures.threads import on_each

_CHUNK = 64


def selective_scan(
    inputs: Tensor, steps: Tensor, decay: Tensor, write: Tensor, read: Tensor
) -> Tensor:
    """Outputs of the scan: compiled for float32 on the CPU, chunked for anything else.

    Parameters
    ----------
    inputs
        x, shape (batch, time, channels).
    steps
        dt, not negative, of the inputs' shape.
    decay
        A, negative, shape (channels, states).
    write, read
        B and C, shape (batch, time, states).

    Returns
    -------
    Tensor
        y, of the inputs' shape. All tensors have the same dtype and device.
    """
    if inputs.device.type == "cpu" and inputs.dtype == torch.float32:
        outputs: Tensor = _CompiledScan.apply(inputs, steps, decay, write, read)  # type: ignore[no-untyped-call]
        return outputs
    return chunked_scan(inputs, steps, decay, write, read)


def plain_scan(inputs: Tensor, steps: Tensor, decay: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """The scan one time step after the other; shapes as in ``selective_scan``."""
    state = inputs.new_zeros(inputs.shape[0], *decay.shape)
    outputs = []
    for t in range(inputs.shape[1]):
        step = steps[:, t, :, None]
        driven = step * inputs[:, t, :, None] * write[:, t, None, :]
        state = torch.exp(step * decay) * state + driven
        outputs.append((state * read[:, t, None, :]).sum(-1))
    return torch.stack(outputs, 1)


def chunked_scan(
    inputs: Tensor, steps: Tensor, decay: Tensor, write: Tensor, read: Tensor
) -> Tensor:
    """The scan in chunks of time; shapes as in ``selective_scan``.

    Within a chunk, the map from the state before to the state after a run of time steps is
    h -> a h + b, and runs are joined by doubling (Hillis & Steele 1986, "Data parallel
    algorithms"). The factors a are at most 1, so nothing overflows.
    """
    state = inputs.new_zeros(inputs.shape[0], 1, *decay.shape)
    outputs = []
    for first in range(0, inputs.shape[1], _CHUNK):
        chunk = slice(first, first + _CHUNK)
        step = steps[:, chunk, :, None]
        factor = torch.exp(step * decay)
        state_from_here = step * inputs[:, chunk, :, None] * write[:, chunk, None, :]
        run = 1
        while run < factor.shape[1]:
            joined = factor[:, run:] * state_from_here[:, :-run] + state_from_here[:, run:]
            state_from_here = torch.cat((state_from_here[:, :run], joined), 1)
            factor = torch.cat((factor[:, :run], factor[:, run:] * factor[:, :-run]), 1)
            run *= 2
        states = factor * state + state_from_here
        state = states[:, -1:]
        outputs.append((states * read[:, chunk, None, :]).sum(-1))
    return torch.cat(outputs, 1)


class _CompiledScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        inputs, steps, decay, write, read = (tensor.detach().contiguous() for tensor in given)
        decay = decay.T.contiguous()
        outputs = torch.empty_like(inputs)
        batch, length, channels = inputs.shape
        blocks = -(-length // scan_kernels.STEPS)
        stored = inputs.new_empty(batch, blocks, decay.shape[0], channels)
        a = decay.numpy()
        x, dt, b, c, y, h = (t.numpy() for t in (inputs, steps, write, read, outputs, stored))
        on_each(lambda i: scan_kernels.scan(x[i], dt[i], a, b[i], c[i], y[i], h[i]), range(batch))
        ctx.save_for_backward(inputs, steps, decay, write, read, stored)
        return outputs

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *bars: Tensor) -> tuple[Tensor, ...]:
        inputs, steps, decay, write, read, stored = ctx.saved_tensors
        batch = inputs.shape[0]
        x_bar, dt_bar, b_bar, c_bar = (torch.empty_like(t) for t in (inputs, steps, write, read))
        a_bar = decay.new_empty(batch, *decay.shape)
        a = decay.numpy()
        known = [t.numpy() for t in (inputs, steps, write, read, stored, bars[0].contiguous())]
        wanted = [t.numpy() for t in (x_bar, dt_bar, a_bar, b_bar, c_bar)]

        def sequence(i: int) -> None:
            x, dt, b, c, h, y_bar = (array[i] for array in known)
            scan_kernels.adjoint(x, dt, a, b, c, h, y_bar, *(array[i] for array in wanted))

        on_each(sequence, range(batch))
        return x_bar, dt_bar, a_bar.sum(0).T, b_bar, c_bar
