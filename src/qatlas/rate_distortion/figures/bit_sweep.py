"""Error against bits for one tensor: one scale a tensor, or one a channel."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.plotting import BOUND, COLUMN_WIDTH, new_figure, series_styles, shorten
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Rows of the two series on the example tensor, with Gaussian Shannon at the same bits."""
    rows = tables["measurements"]
    rows = rows[
        (rows.model == settings.example.model)
        & (rows.tensor == settings.example.tensor)
        & rows.series.isin([settings.by_tensor, settings.by_channel])
    ]
    drawn = rows[["tensor", "codec", "series", "nominal_bits", "rate_bits_per_weight", "mse"]]
    drawn = drawn.assign(shannon_mse=rows.mse / rows.nmse * 4.0**-rows.nominal_bits)
    return drawn.sort_values(["mse"], ascending=False)


def draw(drawn: pd.DataFrame) -> Figure:
    """Mean squared error on a log scale."""
    figure, (axes,) = new_figure(COLUMN_WIDTH, 2.5)
    families = dict(zip(drawn.series, drawn.codec, strict=True))
    for series, style in series_styles(families).items():
        rows = drawn[drawn.series == series].sort_values("nominal_bits")
        axes.plot(rows.nominal_bits, rows.mse, **style)
    bound = drawn.drop_duplicates("nominal_bits").sort_values("nominal_bits")
    axes.plot(bound.nominal_bits, bound.shannon_mse, label="Gaussian Shannon bound", **BOUND)
    axes.set(yscale="log", xlabel="bits of a code", ylabel="mean squared error")
    axes.set_xticks(sorted(drawn.nominal_bits.unique()))
    axes.set_title(shorten(drawn.tensor.iloc[0], 42))
    axes.legend()
    return figure


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    bits = settings.sensitivity_bits
    ratio = summary.written(f"example.{bits}bit.tensor_over_channel_mse", ".3g")
    return (
        f"Mean squared error of uniform quantization on {settings.example.tensor} "
        f"({settings.example.model}) with one scale a tensor and one a channel. At "
        f"{bits} bits the first is {ratio} times the second."
    )
