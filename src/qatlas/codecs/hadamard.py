"""The randomized Hadamard transform: an orthogonal mixing that makes weights look Gaussian.

Source: Chee et al., "QuIP", arXiv 2307.13304; Tseng et al., "QuIP#", arXiv 2402.04396, section 3.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qatlas.codecs.blocks import row_chunks
from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST_MATRIX = 512
"""Odd size up to which a product with a matrix is quicker than a Fourier transform."""


def random_signs(size: int, seed: int) -> "Tensor":
    """Signs +-1, float32, shape (size,), which the seed alone determines."""
    bits = np.random.default_rng(seed).integers(0, 2, size, dtype=np.int8)
    return torch.from_numpy(2 * bits.astype(np.float32) - 1)


def mix(rows: "Tensor", signs: "Tensor") -> "Tensor":
    """Rows times the orthogonal matrix diag(signs) Q of their length.

    Parameters
    ----------
    rows
        Float32, shape (n, size).
    signs
        +-1, shape (size,).
    """
    return _transform(rows * signs)


def unmix(rows: "Tensor", signs: "Tensor") -> "Tensor":
    """Undo ``mix``: Q is symmetric and its own inverse."""
    return _transform(rows) * signs


def in_rows(
    transform: Callable[["Tensor", "Tensor"], "Tensor"],
    matrix: "Tensor",
    seed: int,
    into: "Tensor | None" = None,
) -> "Tensor":
    """A matrix whose rows went through ``mix`` or ``unmix`` with the signs of a seed.

    Few rows at a time, so that little memory is needed beside the result.

    Parameters
    ----------
    transform
        One of the two.
    matrix
        Floating point, shape (rows, size).
    seed
        Of the signs.
    into
        Where the result is written: float32, shape (rows, size), and it may be the matrix itself.
        By default a new tensor.

    Returns
    -------
    Tensor
        Float32, shape (rows, size).
    """
    if not matrix.numel():
        return matrix.float()
    signs = random_signs(matrix.shape[1], seed).to(matrix.device)
    transformed = torch.empty(matrix.shape, device=matrix.device) if into is None else into
    for rows in row_chunks(matrix):
        transformed[rows] = transform(matrix[rows].float(), signs)
    return transformed


def _transform(rows: "Tensor") -> "Tensor":
    """Rows times Q, the Kronecker product of a Hadamard matrix and a Hartley matrix.

    A size is 2^k m with m odd. For m = 1 this is the Hadamard matrix of Sylvester over sqrt(size);
    else the discrete Hartley transform, which exists for every m, mixes the m parts, so that
    every weight reaches every place. Both are symmetric and orthogonal.
    """
    size = rows.shape[1]
    power = size & -size
    odd = size // power
    parts = rows.reshape(-1, odd, power)
    if odd > 1:
        parts = _hartley(parts)
    return _hadamard(parts).reshape(rows.shape) / math.sqrt(power)


def _hadamard(parts: "Tensor") -> "Tensor":
    """Unnormalised Walsh-Hadamard transform along the last axis, a power of two long."""
    shape, half = parts.shape, 1
    while half < shape[-1]:
        pairs = parts.reshape(*shape[:-1], -1, 2, half)
        sums, differences = pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]
        parts = torch.stack((sums, differences), -2).reshape(shape)
        half *= 2
    return parts


def _hartley(parts: "Tensor") -> "Tensor":
    """Orthonormal discrete Hartley transform along the second axis, an odd number long.

    Of a real vector it is the real less the imaginary part of its Fourier transform.
    """
    size = parts.shape[1]
    if size <= _LARGEST_MATRIX:
        return torch.einsum("ij,njk->nik", _hartley_matrix(size).to(parts.device), parts)
    first = torch.fft.rfft(parts, dim=1, norm="ortho")
    mirrored = first[:, 1:].flip(1)
    return torch.cat((first.real - first.imag, mirrored.real + mirrored.imag), 1)


@cache
def _hartley_matrix(size: int) -> "Tensor":
    """Orthogonal Hartley matrix cas(2 pi i j / size) / sqrt(size), float32, shape (size, size)."""
    angle = 2 * np.pi * (np.outer(np.arange(size), np.arange(size)) % size) / size
    return torch.from_numpy(((np.cos(angle) + np.sin(angle)) / np.sqrt(size)).astype(np.float32))
