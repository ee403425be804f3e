"""How figures of simulations name operations and draw methods of look-up."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.lut.encodings import ENCODINGS

METHOD_DASHES: dict[str, Any] = {
    "nearest": "-",
    "stochastic": (0, (4, 1.5)),
    "bilinear": (0, (1, 1)),
}
"""Line style of a method, the same in all figures; the colour is the encoding's."""
OPERATIONS = {
    "chain": "chained multiplication",
    "dot": "dot product, saturating sum",
    "dot_wide": "dot product, wide sum",
}


def with_a_sign(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without dot products of unsigned tables, which take half of their operands for zero."""
    unsigned = [name for name, encoding in ENCODINGS.items() if not encoding.signed]
    return rows[(rows.operation == "chain") | ~rows.table.isin(unsigned)]


def shared_legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    """One legend below the panels, each label once."""
    by_label = {
        text: handle
        for panel in panels
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(by_label.values()), list(by_label), loc="outside lower center", ncols=columns
    )
