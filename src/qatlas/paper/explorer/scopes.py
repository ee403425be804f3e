"""Where the rows of every choice lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Block:
    """Rows and limits that are shown together, and what they are of."""

    rows: pd.DataFrame
    limits: pd.DataFrame
    tensors: int
    finest: bool


@dataclass
class Scopes:
    """Blocks, one behind the other, and the choices that lead to each.

    A block may be led to by several choices: of a kind with one tensor it is that tensor's.
    """

    _choices: list[dict[str, object]] = field(default_factory=list)
    _rows: list[pd.DataFrame] = field(default_factory=list)
    _limits: list[pd.DataFrame] = field(default_factory=list)
    _first_row: int = 0
    _first_limit: int = 0

    def add(self, block: Block, choices: Sequence[Mapping[str, str]]) -> None:
        """Append a block and the values of all facets that lead to it, one mapping a choice."""
        place = {
            "first_row": self._first_row,
            "rows": len(block.rows),
            "first_limit": self._first_limit,
            "limits": len(block.limits),
            "tensors": block.tensors,
            "finest": block.finest,
        }
        self._choices += [{**choice, **place} for choice in choices]
        self._rows.append(block.rows)
        self._limits.append(block.limits)
        self._first_row += len(block.rows)
        self._first_limit += len(block.limits)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Tables of the scopes, the rows and the limits, as ``Dataset`` has them."""
        return (
            pd.DataFrame(self._choices),
            pd.concat(self._rows, ignore_index=True),
            pd.concat(self._limits, ignore_index=True),
        )
