"""Rows of the chapter's tables: what every table of products errs by, its rank, its picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.error_metrics import error_metrics, in_range
from qatlas.lut.error_rank import KEPT_RANKS, error_rank
from qatlas.lut.operand_counts import LayerOperands
from qatlas.lut.pairs import model_pairs, uniform_pairs
from qatlas.lut.product_table import ProductTable
from qatlas.lut.schema import MOST_CELLS

Row = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NamedTable:
    """A table and where it comes from.

    Attributes
    ----------
    name, kind
        As the columns of that name.
    table
        The table.
    """

    name: str
    kind: str
    table: ProductTable

    @property
    def key(self) -> Row:
        """The columns that name it."""
        return {
            "table": self.name,
            "kind": self.kind,
            "size": self.table.size,
            "bits": (self.table.size - 1).bit_length(),
            "range": self.table.limit,
        }


def error_rows(named: NamedTable, models: Mapping[str, Sequence[LayerOperands]]) -> Iterator[Row]:
    """Rows of ``MAP_ERRORS``: uniform operands and those of each model, all pairs and in range.

    Of pairs that do not occur there is no row.
    """
    inside = in_range(named.table)
    distributions = {"uniform": uniform_pairs(named.table)} | {
        model: model_pairs(named.table, layers) for model, layers in models.items()
    }
    for operands, pairs in distributions.items():
        saturated = float(pairs[~inside].sum())
        for which, weights in (("all", pairs), ("in_range", pairs * inside)):
            metrics = error_metrics(named.table, weights)
            if metrics:
                yield named.key | {
                    "operands": operands,
                    "pairs": which,
                    **asdict(metrics),
                    "saturated_share": saturated,
                }


def rank_row(named: NamedTable) -> Row:
    """Row of ``MAP_RANKS``."""
    found = error_rank(named.table)
    left = dict(zip(KEPT_RANKS, found.energy_left, strict=True))
    return named.key | {
        "rank": found.rank,
        "exact": found.exact,
        **{f"energy_left_{kept}": share for kept, share in left.items()},
    }


def cell_rows(named: NamedTable) -> Iterator[Row]:
    """Rows of ``MAP_CELLS``: means over blocks of as equal a size as can be."""
    table = named.table
    true = np.multiply.outer(table.levels, table.levels)
    products, errors = _block_means(table.products), _block_means(table.errors)
    magnitudes, distances = _block_means(np.abs(true)), _block_means(np.abs(table.errors))
    for (row, column), magnitude in np.ndenumerate(magnitudes):
        yield named.key | {
            "row": row,
            "column": column,
            "product": products[row, column],
            "absolute_error": distances[row, column],
            "relative_error": errors[row, column] / magnitude if magnitude else None,
        }


def _block_means(matrix: Floats) -> Floats:
    size = len(matrix)
    starts = np.arange(min(size, MOST_CELLS)) * size // min(size, MOST_CELLS)
    sums = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
    lengths = np.diff(starts, append=size)
    return sums / np.multiply.outer(lengths, lengths)
