"""The largest error over a square of inputs, and how well ||x||_1 tells it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import SHADES, add_shade_bar
from qatlas.geometry.manifolds.magnitudes import linear_fit
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every input of the square."""
    return tables["heat_map"]


def draw(drawn: pd.DataFrame) -> Figure:
    """The square on the left; on the right every input against ||x||_1."""
    figure, (square, fitted) = new_figure(FULL_WIDTH, 2.7, 1, 2, width_ratios=[1, 1.05])
    worst = drawn.pivot(index="y", columns="x", values="worst")
    shown = square.pcolormesh(
        worst.columns, worst.index, worst, cmap=SHADES, vmin=0, edgecolors="face", linewidth=0.1
    )
    square.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    square.grid(visible=False)
    add_shade_bar(figure, shown, [square], "longest error", aspect=25)
    fit = linear_fit(drawn.l1.to_numpy(), drawn.worst.to_numpy())
    ends = np.array([0, drawn.l1.max()])
    fitted.plot(drawn.l1, drawn.worst, ".", color="#0072B2", label="longest error")
    fitted.plot(drawn.l1, drawn.drawn, ".", color="#009E73", label="longest of drawn weights")
    fitted.plot(drawn.l1, drawn.rms, ".", color="#E69F00", label="RMS of random errors")
    fitted.plot(ends, fit.intercept + fit.slope * ends, label="linear fit", **BOUND)
    fitted.set(xlabel="$||x||_1$ of the input", ylabel="length of the error")
    fitted.legend(loc="upper left")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Longest error at inputs of full layers of two channels, and against ||x||_1 of the input "
        f"with the linear fit {summary.written('heat_map.intercept', '.3f')} + "
        f"{summary.written('heat_map.slope', '.4f')} ||x||_1, which explains "
        f"{summary.written('heat_map.r_squared', '.0%')} of its variance: the first layer's errors "
        "follow ||x||_1 exactly, those of later layers the norm of what enters these."
    )
