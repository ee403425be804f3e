"""Which tensors suffer most at equal bits, one scale a channel."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.plotting import FULL_WIDTH, blank_figure, new_figure, plot_by_layer, shorten
from qatlas.summary import Summary

_WORST = 8


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """All tensors of the example's model at the chosen bits, worst first."""
    rows = tables["measurements"]
    rows = rows[
        (rows.model == settings.example.model)
        & (rows.series == settings.by_channel)
        & (rows.nominal_bits == settings.sensitivity_bits)
    ]
    columns = ["model", "tensor", "kind", "layer", "nominal_bits", "nmse", "sqnr_db"]
    return rows[columns].sort_values(["nmse", "tensor"], ascending=[False, True])


def draw(drawn: pd.DataFrame) -> Figure:
    """Normalised error by layer and kind, and a table of the worst."""
    if drawn.empty:
        return blank_figure(FULL_WIDTH, "One scale a channel was not measured at these bits.")
    figure, (panel, table) = new_figure(FULL_WIDTH, 3.1, 1, 2, width_ratios=(1.1, 1))
    plot_by_layer(panel, drawn, "nmse")
    bits = drawn.nominal_bits.iloc[0]
    panel.set(
        title=f"{drawn.model.iloc[0]}, {bits:g} bits, one scale a channel",
        ylabel="MSE / variance of the weights",
    )
    figure.legend(loc="outside lower center", ncols=8, columnspacing=1, handletextpad=0)
    _draw_worst(table, drawn.head(_WORST))
    return figure


def _draw_worst(panel: Axes, worst: pd.DataFrame) -> None:
    panel.axis("off")
    panel.set_title(f"The worst {len(worst)}")
    cells = [
        [shorten(row.tensor.removesuffix(".weight"), 36), f"{row.nmse:.2e}", f"{row.sqnr_db:.1f}"]
        for row in worst.itertuples()
    ]
    table = panel.table(
        cells,
        colLabels=["tensor", "nMSE", "SQNR (dB)"],
        colWidths=[0.64, 0.18, 0.18],
        cellLoc="right",
        loc="upper center",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(6.5)
    for (row, column), cell in table.get_celld().items():
        cell.visible_edges = "B" if row in (0, len(worst)) else ""
        cell.set_linewidth(0.6)
        cell.set_height(0.095)
        if column == 0:
            cell.get_text().set_horizontalalignment("left")
            cell.PAD = 0.01


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    name = f"sensitivity.{settings.sensitivity_bits}bit"
    worst = summary.written(f"{name}.worst_tensor")
    error = summary.written(f"{name}.worst_nmse", ".2e")
    median = summary.written(f"{name}.median_nmse", ".2e")
    return (
        f"Normalised error of every tensor of {settings.example.model} at "
        f"{settings.sensitivity_bits} bits with one scale a channel. {worst} is the worst "
        f"at {error}; the median tensor has {median}."
    )
