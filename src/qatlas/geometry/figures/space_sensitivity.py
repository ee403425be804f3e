"""Which of three channels suffers most."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import EXPERIMENT_COLOURS
from qatlas.plotting import BOUND, FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Relative error and sensitivity of each channel, of all layers together."""
    rows = tables["region_axes"]
    total = rows[(rows.dimension == 3) & rows.layer.isna()]
    found = total[["experiment", "axis", "relative_error", "sensitivity"]]
    return found.assign(relative_rms=total.rms / total.value.abs())


def draw(drawn: pd.DataFrame) -> Figure:
    """A group of bars an experiment; on the right over the mean of its channels."""
    figure, (relative, sensitivity) = new_figure(FULL_WIDTH, 2.4, 1, 2)
    names = list(dict.fromkeys(drawn.experiment))
    for place, name in enumerate(names):
        rows = drawn[drawn.experiment == name]
        at = place + 0.26 * (rows.axis - 2)
        colour = EXPERIMENT_COLOURS[name]
        relative.bar(at, 100 * rows.relative_error, width=0.22, color=colour)
        relative.plot(at, 100 * rows.relative_rms, "k_", markersize=8, markeredgewidth=1.3)
        sensitivity.bar(at, rows.sensitivity, width=0.22, color=colour)
        for x, axis in zip(at, rows.axis, strict=True):
            sensitivity.text(x, 0.06, f"$x_{axis}$", ha="center", fontsize=7, color="white")
    sensitivity.axhline(1, **BOUND)
    relative.set(title="largest error over the input; ticks: RMS", ylabel="percent")
    sensitivity.set(title="sensitivity: over the mean of the channels")
    for panel in (relative, sensitivity):
        panel.set_xticks(range(len(names)), [readable(name) for name in names])
        panel.grid(visible=False, axis="x")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    return (
        "Relative error of the three inputs, at most (bars) and of random weights (ticks), and the "
        "same over its mean over the channels. Full matrices add the errors of large channels to "
        f"small ones: their sensitivities are {summary.written('3d.full.sensitivity', '.2f')}, "
        f"those of a factor for each channel {summary.written('3d.nonuniform.sensitivity', '.2f')}."
    )
