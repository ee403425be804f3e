"""Compiled recursion g_t = 1 / (v_t - 2 - i broadening - g_(t-1)), and its exact adjoint.

Real and imaginary parts lie apart, and the inner loops run over chains, which a CPU does several
of at once. Arrays are float32 or float64, shape (time, chains).
"""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def recursion(broadening: float, potential: Any, real: Any, imaginary: Any) -> None:
    """Fill the real and imaginary parts of g."""
    length, chains = potential.shape
    two, width = potential.dtype.type(2), potential.dtype.type(broadening)
    zero = np.zeros(chains, potential.dtype)
    for t in range(length):
        real_before = real[t - 1] if t else zero
        imaginary_before = imaginary[t - 1] if t else zero
        for k in range(chains):
            x = potential[t, k] - two - real_before[k]
            y = width + imaginary_before[k]
            square = x * x + y * y
            real[t, k] = x / square
            imaginary[t, k] = y / square


@numba.njit(cache=True, nogil=True)
def adjoint(
    real: Any, imaginary: Any, real_bar: Any, imaginary_bar: Any, potential_bar: Any
) -> None:
    """Fill the derivative of a loss by the potential, given those by the parts of g.

    With u = dL/d(Re g) + i dL/d(Im g) as the gradient by g_t, dg_t = -g_t^2 (dv_t - dg_(t-1)) gives
    -conj(g_t^2) u by v_t, of which the real part counts, and the opposite by g_(t-1).
    """
    length, chains = real.shape
    real_carried = np.zeros(chains, real.dtype)
    imaginary_carried = np.zeros(chains, real.dtype)
    for t in range(length - 1, -1, -1):
        for k in range(chains):
            x, y = real[t, k], imaginary[t, k]
            square_real, square_imaginary = x * x - y * y, (x + x) * y
            u_real = real_bar[t, k] + real_carried[k]
            u_imaginary = imaginary_bar[t, k] + imaginary_carried[k]
            real_carried[k] = square_real * u_real + square_imaginary * u_imaginary
            imaginary_carried[k] = square_real * u_imaginary - square_imaginary * u_real
            potential_bar[t, k] = -real_carried[k]
