"""Error feedback: what earlier columns lost is made up for by later ones.

With H^-1 = U^T U, U upper triangular, and N its rows (or rows of blocks) over their diagonal
entries (or blocks), the output error of W_hat is tr((W - W_hat) H (W - W_hat)^T) =
sum_J tr(E_J D_J E_J^T). Here E_J is what is lost of the block of columns J after all earlier
blocks I have taken E_I N_IJ off it, and D_J = (U_JJ^T U_JJ)^-1. So each block is quantized as well
as can be in its turn. After each, the columns still to come hold what suits them best.

Source: GPTQ, Frantar et al. 2022 (arXiv 2210.17323), algorithm 1; with blocks LDLQ, Chee et al.
2023, "QuIP" (arXiv 2307.13304), section 3 and theorem 6, and Tseng et al. 2024, "QuIP#"
(arXiv 2402.04396), section 4.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from qatlas.deferred import torch

if TYPE_CHECKING:
    from torch import Tensor

Quantize = Callable[["Tensor", slice], "Tensor"]
"""From all columns as the blocks before left them, and a block, what is lost of that; float64."""


def blocks_of(columns: int, width: int) -> list[slice]:
    """Slices of so many columns each, the last perhaps fewer."""
    return [slice(first, min(first + width, columns)) for first in range(0, columns, width)]


def feedback_between_columns(factor: "Tensor") -> "Tensor":
    """N for blocks of one column, shape (n, n), from the upper triangular U, H^-1 = U^T U."""
    return factor / factor.diagonal()[:, None]


def feedback_between_blocks(factor: "Tensor", blocks: Iterable[slice]) -> "Tensor":
    """N for blocks of columns, shape (n, n), from the upper triangular U, H^-1 = U^T U."""
    rows = [
        torch.linalg.solve_triangular(factor[block, block], factor[block], upper=True)
        for block in blocks
    ]
    return torch.cat(rows)


def quantize_with_feedback(
    weight: "Tensor", feedback: "Tensor", blocks: Iterable[slice], quantize: Quantize
) -> None:
    """Quantize block after block, each after the feedback from those before it.

    Parameters
    ----------
    weight
        Float64, shape (rows, n).
    feedback
        N, float64, shape (n, n). Only what lies right of the blocks is used here: what gives
        feedback between columns within a block is ``quantize``, which then returns what was lost
        of each column in its turn.
    blocks
        Slices that make up the n columns from left to right.
    quantize
        Quantizes one block.
    """
    current = weight.clone()
    for block in blocks:
        lost = quantize(current, block)
        current[:, block.stop :].addmm_(lost, feedback[block, block.stop :], alpha=-1)


def second_moment_within(factor: "Tensor", block: slice) -> "Tensor":
    """D_J: H of a block's columns given the blocks before it, from U, H^-1 = U^T U; float64."""
    own: Tensor = torch.linalg.inv(factor[block, block])
    return own @ own.T
