"""Diagonals of the resolvent G = (H - z)^-1 of a chain, as features of its positions.

H is tridiagonal over the positions of a sequence, H_ii = -2 + v_i and H_(i,i+-1) = 1, and
z = i * broadening. Two diagonals can be had from one recursion,
g_i = 1 / (a_i - g_(i-1)) with a_i = H_ii - z:

``left_resolvent``: g_i itself, the last diagonal entry of the inverse of the leading
(i + 1) x (i + 1) block. It depends on v_0 ... v_i alone, so that a language model may use it.

``full_resolvent``: G_ii = 1 / (a_i - g_(i-1) - g'_(i+1)), with g' the same recursion from the
right. It is theta_i phi_i / theta_N of Usmani 1994, "Inversion of a tridiagonal Jacobi matrix", in
ratio form, g_i = theta_i / theta_(i+1), so that nothing overflows. It depends on every v: a
language model that uses it sees what it is to predict.

|g_i| <= 1 / Im z, and the imaginary parts are positive, so that no denominator is less than Im z
(Economou 2006, "Green's functions in quantum physics", chapter 1).
"""

from typing import Any

import torch
from torch import Tensor

from qatlas.models.architectures import resolvent_kernels
from qatlas.models.architectures.threads import on_each

_COMPILED = (torch.float32, torch.float64)


def left_resolvent(potential: Tensor, broadening: float) -> tuple[Tensor, Tensor]:
    """Left Green's function g of each chain: compiled on the CPU, plain anywhere else.

    Parameters
    ----------
    potential
        v, shape (batch, time, chains), float32 or float64.
    broadening
        Im z, positive.

    Returns
    -------
    tuple
        Real and imaginary parts, each of the potential's shape.
    """
    if potential.device.type == "cpu" and potential.dtype in _COMPILED:
        values = _CompiledLeftResolvent.apply(potential, broadening)  # type: ignore[no-untyped-call]
        real, imaginary = values
        return real, imaginary
    return plain_left_resolvent(potential, broadening)


def plain_left_resolvent(potential: Tensor, broadening: float) -> tuple[Tensor, Tensor]:
    """The recursion as it is written, in complex arithmetic."""
    diagonal = torch.complex(potential - 2, torch.full_like(potential, -broadening))
    before = torch.zeros_like(diagonal[:, 0])
    values = []
    for t in range(potential.shape[1]):
        before = 1 / (diagonal[:, t] - before)
        values.append(before)
    g = torch.stack(values, 1)
    return g.real, g.imag


def full_resolvent(potential: Tensor, broadening: float) -> tuple[Tensor, Tensor]:
    """Diagonal of the whole resolvent of each chain; not causal.

    Shapes as in ``left_resolvent``.
    """
    left = torch.complex(*left_resolvent(potential, broadening))
    right = torch.complex(*left_resolvent(potential.flip(1), broadening)).flip(1)
    diagonal = torch.complex(potential - 2, torch.full_like(potential, -broadening))
    nothing = torch.zeros_like(diagonal[:, :1])
    before = torch.cat((nothing, left[:, :-1]), 1)
    after = torch.cat((right[:, 1:], nothing), 1)
    g = 1 / (diagonal - before - after)
    return g.real, g.imag


RESOLVENTS = {"causal": left_resolvent, "full": full_resolvent}
"""Diagonals by the name that a ResNet-BK's configuration gives them."""


class _CompiledLeftResolvent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, potential: Tensor, broadening: float) -> tuple[Tensor, Tensor]:
        v = potential.detach().contiguous()
        real, imaginary = torch.empty_like(v), torch.empty_like(v)
        arrays = [tensor.numpy() for tensor in (v, real, imaginary)]
        on_each(
            lambda i: resolvent_kernels.recursion(broadening, *(array[i] for array in arrays)),
            range(v.shape[0]),
        )
        ctx.save_for_backward(real, imaginary)
        return real, imaginary

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *bars: Tensor) -> tuple[Tensor, None]:
        real, imaginary = ctx.saved_tensors
        potential_bar = torch.empty_like(real)
        tensors = (real, imaginary, bars[0].contiguous(), bars[1].contiguous(), potential_bar)
        arrays = [tensor.numpy() for tensor in tensors]
        on_each(
            lambda i: resolvent_kernels.adjoint(*(array[i] for array in arrays)),
            range(real.shape[0]),
        )
        return potential_bar, None
