"""What tables err by against their size, for uniform operands and for those of a model."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.lut import Lut
from qatlas.lut.drawing import encoding_style, label, point_styles
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary

_METRICS = {"nmed": "mean |error| / largest product", "mred": "mean relative error"}
_LEGEND_COLUMNS = 5


def select(tables: Mapping[str, pd.DataFrame], settings: Lut) -> pd.DataFrame:
    """Errors of pairs whose product is within the range."""
    rows = tables["map_errors"]
    rows = rows[rows.pairs == "in_range"]
    return rows[["table", "kind", "size", "bits", "operands", *_METRICS]]


def draw(drawn: pd.DataFrame) -> Figure:
    """A row of panels an operand distribution, a column a metric; a line an encoding."""
    distributions = sorted(drawn.operands.unique(), key=lambda name: (name != "uniform", name))
    figure, panels = new_figure(
        FULL_WIDTH, 0.5 + 2.1 * len(distributions), len(distributions), 2, sharex=True
    )
    points = point_styles(list(dict.fromkeys(drawn.table[drawn.kind != "encoding"])))
    places = [(operands, metric) for operands in distributions for metric in _METRICS]
    for (operands, metric), panel in zip(places, panels, strict=True):
        rows = drawn[(drawn.operands == operands) & (drawn[metric] > 0)]
        for name, of_encoding in rows[rows.kind == "encoding"].groupby("table", sort=False):
            panel.plot(of_encoding.bits, of_encoding[metric], **encoding_style(str(name)))
        for row in rows[rows.kind != "encoding"].itertuples():
            panel.plot(row.bits, getattr(row, metric), **points[row.table])
        about = "uniform operands" if operands == "uniform" else f"operands of {readable(operands)}"
        panel.set(yscale="log", title=about, ylabel=_METRICS[metric])
        panel.set_xticks(sorted(drawn.bits.unique()))
    for panel in panels[-2:]:
        panel.set_xlabel("bits of an operand")
    by_label = {
        text: handle
        for panel in panels
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(by_label.values()), list(by_label), loc="outside lower center", ncols=_LEGEND_COLUMNS
    )
    return figure


def caption(summary: Summary, settings: Lut) -> str:
    """What the figure shows."""
    least = label(summary.written("maps.least_mred_of_signed_at_8_bits.uniform"))
    return (
        "Errors of tables against the bits of an operand, over pairs whose product is within the "
        "range: mean magnitude over the largest product (left), mean relative error (right). "
        "What has no error is not drawn. Of 8-bit codes with a sign the least relative error, over "
        f"all pairs of uniform operands, have those that are: {least}."
    )
