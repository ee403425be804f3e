"""Every tensor as a matrix of output channels by everything else."""

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def as_matrix(tensor: "Tensor", kind: str, transposed: bool) -> "Tensor":
    """Lay a tensor out as shape (output channels, everything else).

    A convolution has its output channels in the first dimension; a stack of matrices, as of
    experts, in all dimensions but the last; a vector is one row.

    Parameters
    ----------
    tensor
        Any shape; not copied where a view does.
    kind
        One of ``qatlas.weights.roles.KINDS``.
    transposed
        Whether it is stored as (input, output) channels.
    """
    if tensor.ndim < 2:
        return tensor.reshape(1, -1)
    if kind == "convolution":
        return (tensor.transpose(0, 1) if transposed else tensor).flatten(1)
    return (tensor.mT if transposed else tensor).flatten(0, -2)


def matrix_shape(shape: tuple[int, ...], kind: str, transposed: bool) -> tuple[int, int]:
    """Sides of what ``as_matrix`` gives for a tensor of this shape."""
    if len(shape) < 2:
        return 1, prod(shape)
    if kind == "convolution":
        outputs, others = (
            (1, (0, *range(2, len(shape)))) if transposed else (0, range(1, len(shape)))
        )
        return shape[outputs], prod(shape[axis] for axis in others)
    *stack, rows, columns = (*shape[:-2], *reversed(shape[-2:])) if transposed else shape
    return prod(stack) * rows, columns
