"""The tables of products of every encoding, small to large."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import draw_by_size, encodings_in, shown_sizes
from qatlas.lut.schema import MOST_CELLS
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Every product of small tables, as a share of the range."""
    small = [size for size in settings.sizes if size <= MOST_CELLS]
    cells = encodings_in(tables["map_cells"], shown_sizes(small or settings.sizes))
    shares = cells.assign(share_of_range=cells["product"] / cells.range)
    return shares[["table", "size", "row", "column", "share_of_range"]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A column an encoding, a row a size."""
    return draw_by_size(
        drawn, "share_of_range", Normalize(-1, 1), "RdBu_r", "product in the table / R"
    )


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    return (
        "Tables of products: operands rise from the least, at the lower left, to the largest; "
        f"R = {settings.range:g} where no other is named. Products beyond the range saturate, and "
        "few codes leave steps; larger tables look like the last row, but smooth."
    )
