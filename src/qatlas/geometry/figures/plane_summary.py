"""The experiments in the plane beside each other."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.geometry.drawing import EXPERIMENT_COLOURS
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Size of each region, and of its bounding box along each axis."""
    regions, axes = tables["regions"], tables["region_axes"]
    here = regions[regions.dimension == 2]
    total = axes[(axes.dimension == 2) & axes.layer.isna()]
    columns = ["experiment", "volume", "hull_volume", "worst", "rms"]
    relative = total[["experiment", "axis", "relative_error", "rms", "value"]].rename(
        columns={"rms": "axis_rms"}
    )
    return here[columns].merge(relative, on="experiment")


def draw(drawn: pd.DataFrame) -> Figure:
    """Areas, longest errors beside the RMS, and relative errors of the two inputs."""
    figure, (area, length, relative) = new_figure(FULL_WIDTH, 2.3, 1, 3)
    names = list(dict.fromkeys(drawn.experiment))
    labels = [readable(name).replace(" ", "\n") for name in names]
    places = range(len(names))
    colours = [EXPERIMENT_COLOURS[name] for name in names]
    sizes = drawn.drop_duplicates("experiment").set_index("experiment").loc[names]
    area.bar(places, sizes.hull_volume, color="0.85", label="bounding box")
    area.bar(places, sizes.volume, color=colours, width=0.5)
    area.set(title="area of the region", ylabel="input units squared")
    length.bar(places, sizes.worst, color=colours, width=0.5)
    length.plot(places, sizes.rms, "k_", markersize=18, markeredgewidth=1.4, label="RMS")
    length.set(title="longest error", ylabel="input units")
    for axis, rows in drawn.groupby("axis"):
        rows = rows.set_index("experiment").loc[names]
        at = [place + 0.36 * (axis - 1.5) for place in places]
        relative.bar(at, 100 * rows.relative_error, color=colours, width=0.32)
        rms = 100 * rows.axis_rms / rows.value.abs()
        relative.plot(at, rms, "k_", markersize=10, markeredgewidth=1.4)
    relative.set(title="relative error of $x_1$ and $x_2$", ylabel="percent")
    for panel in (area, length, relative):
        panel.set_xticks(places, labels)
        panel.grid(visible=False, axis="x")
    area.legend(loc="upper left")
    length.legend(loc="upper left")
    return figure


def caption(summary: Summary) -> str:
    """What the figure shows."""
    ratios = [
        f"{name} {summary.written(f'2d.{name}.worst_over_rms', '.1f')}"
        for name in ("uniform_diagonal", "nonuniform_diagonal", "full")
    ]
    return (
        "Layers of two channels: area of the region of errors and of its bounding box, longest "
        "error, and relative errors of the two inputs; ticks: root of the mean square of random "
        f"errors. Longest over RMS: {', '.join(map(str, ratios)).replace('_', ' ')}."
    )
