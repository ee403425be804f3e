"""The tables of products of every encoding, small to large."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import draw_by_size, encodings_in, shown_sizes
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Code of each cell's mean product, as a share of the range."""
    cells = encodings_in(tables["map_cells"], shown_sizes(settings.sizes))
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
        f"R = {settings.range:g}, of the encoding signed always 1. Tables of more than 32 levels "
        "are shown by means over blocks. Products beyond the range saturate."
    )
