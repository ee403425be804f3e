"""How often the operands of a model's layers take which value, and how tables store it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts = NDArray[np.int64]

LARGEST = 2047
"""Operands are counted on the whole numbers from -LARGEST to LARGEST, their tensor's largest
magnitude being LARGEST: four or more to a level of the largest default table."""


@dataclass(frozen=True)
class LayerOperands:
    """What one linear layer multiplies.

    Attributes
    ----------
    tensor
        Name of its weight.
    multiplications
        For a token.
    activations, weights
        How often each whole number from -LARGEST to LARGEST occurs, int64.
    """

    tensor: str
    multiplications: int
    activations: Counts
    weights: Counts


def rows_of_operands(model: str, counted: Sequence[LayerOperands]) -> pd.DataFrame:
    """Rows of an ``OPERANDS`` table, for values that occur."""
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "tensor": layer.tensor,
                "operand": operand,
                "multiplications": layer.multiplications,
                "value": np.flatnonzero(counts) - LARGEST,
                "count": counts[counts > 0],
            }
        )
        for layer in counted
        for operand, counts in (("activation", layer.activations), ("weight", layer.weights))
    ]
    return pd.concat(parts, ignore_index=True)


def operands_of_rows(rows: pd.DataFrame) -> Mapping[str, list[LayerOperands]]:
    """What each model of an ``OPERANDS`` table multiplies."""
    found: dict[str, list[LayerOperands]] = {}
    for (model, tensor), of_layer in rows.groupby(["model", "tensor"], sort=False):
        counts = {
            operand: np.bincount(
                of_layer.value[of_layer.operand == operand] + LARGEST,
                of_layer["count"][of_layer.operand == operand],
                2 * LARGEST + 1,
            ).astype(np.int64)
            for operand in ("activation", "weight")
        }
        found.setdefault(str(model), []).append(
            LayerOperands(
                str(tensor),
                int(of_layer.multiplications.iloc[0]),
                counts["activation"],
                counts["weight"],
            )
        )
    return found
