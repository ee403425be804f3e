"""What the chapter's figures share: colours, sets of errors in the plane and in space."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from qatlas.geometry.sets.zonotope import Floats

EXPERIMENT_COLOURS = {
    "uniform_diagonal": "#0072B2",
    "nonuniform_diagonal": "#D55E00",
    "uniform": "#0072B2",
    "nonuniform": "#D55E00",
    "full": "#009E73",
    "diagonal_twin": "#CC79A7",
}
INFERENCE_COLOURS = {"weights": "#0072B2", "weights_and_activations": "#882255"}
INFERENCE_LABELS = {
    "weights": "weights alone",
    "weights_and_activations": "weights and activations",
}
CLASS_COLOURS = {"metric": "#0072B2", "topological": "#D55E00"}
CHANGED_COLOUR = CLASS_COLOURS["topological"]
PATTERN_COLOURS = ("#CFE3F2", "#E3EBC8", "#F3E3C4", "#E6E6E6")
"""Of regions of sign patterns, pale, from all units on to all off."""
KIND_GROUPS = {"attention": "#D55E00", "MLP": "#009E73", "mixer": "#56B4E9"}
"""Groups of kinds of linear layers, by what they are for."""
BITS_COLOURS = ("#882255", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9")
"""By the order of the widths."""
RMS: dict[str, Any] = {"color": "black", "linestyle": (0, (1.5, 1)), "linewidth": 1.1}
"""How random errors are drawn beside the largest."""
SHADES: Colormap = mpl.colormaps["viridis"].resampled(32)
"""Of the size of an error; few enough shades for a colour bar to be no image."""

# Seen from the front right and a little from above.
_AZIMUTH, _ELEVATION = np.deg2rad(-58.0), np.deg2rad(20.0)
_VIEW = np.array(
    [
        [-np.sin(_AZIMUTH), np.cos(_AZIMUTH), 0],
        [
            -np.sin(_ELEVATION) * np.cos(_AZIMUTH),
            -np.sin(_ELEVATION) * np.sin(_AZIMUTH),
            np.cos(_ELEVATION),
        ],
        [
            np.cos(_ELEVATION) * np.cos(_AZIMUTH),
            np.cos(_ELEVATION) * np.sin(_AZIMUTH),
            np.sin(_ELEVATION),
        ],
    ]
)
"""Rows: to the right, up, towards the eye."""


def group_of_kind(kind: str) -> str:
    """Which of ``KIND_GROUPS`` a kind of linear layer belongs to."""
    return {"attention": "attention", "mlp": "MLP"}.get(kind.partition("_")[0], "mixer")


def layer_colours(layers: int) -> list[str]:
    """From dark to light, the first layer's first."""
    return [to_hex(colour) for colour in mpl.colormaps["plasma"](np.linspace(0.05, 0.82, layers))]


def up_to(layer: int) -> str:
    """What errors up to a layer are called."""
    return "layer 1" if layer == 1 else f"layers 1 to {layer}"


def faces_of(rows: pd.DataFrame) -> Iterator[Floats]:
    """Corners of each face of rows of ``outlines``, shape (n, 2) or (n, 3)."""
    axes = ["x", "y"] if rows.z.isna().all() else ["x", "y", "z"]
    for _, face in rows.groupby("face", sort=True):
        yield face[axes].to_numpy()


def projected(points: Floats) -> Floats:
    """Points in space, shape (n, 3), as they are seen: to the right and up, shape (n, 2)."""
    seen: Floats = points @ _VIEW[:2].T
    return seen


def draw_plane_set(panel: Axes, rows: pd.DataFrame, **style: Any) -> None:
    """Fill one set in the plane."""
    for corners in faces_of(rows):
        panel.fill(*corners.T, **{"linewidth": 0.8, **style})


def draw_solid(panel: Axes, rows: pd.DataFrame, colour: str, alpha: float) -> None:
    """Draw a set in space, far faces first."""
    faces = sorted(faces_of(rows), key=lambda face: float((face @ _VIEW[2]).mean()))
    panel.add_collection(
        PolyCollection(
            [projected(face) for face in faces],
            facecolors=[*mpl.colors.to_rgb(colour), alpha],
            edgecolors=colour,
            linewidths=0.4,
            joinstyle="round",
        )
    )


def draw_box(panel: Axes, half_widths: Floats, **style: Any) -> None:
    """Draw the twelve edges of a box around the origin in space."""
    for axis in range(3):
        across = [other for other in range(3) if other != axis]
        for one in (-1, 1):
            for other in (-1, 1):
                ends = np.zeros((2, 3))
                ends[:, axis] = half_widths[axis] * np.array([-1, 1])
                ends[:, across] = half_widths[across] * np.array([one, other])
                panel.plot(*projected(ends).T, **style)


def frame_space(panel: Axes, reach: Floats) -> None:
    """Show a box of these half-widths in space, with arrows for the three axes in a corner."""
    corners = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T * reach
    low, high = projected(corners).min(axis=0), projected(corners).max(axis=0)
    width, height = high - low
    size = 0.22 * max(width, 0.5 * height)
    # Left of the box, where nothing else is drawn.
    corner = np.array([low[0] - 1.1 * size, low[1] + 0.1 * size])
    for number, along in enumerate(projected(np.eye(3)), start=1):
        tip = corner + size * along
        panel.annotate(
            "",
            (tip[0], tip[1]),
            (corner[0], corner[1]),
            arrowprops={"arrowstyle": "-|>", "lw": 0.7, "mutation_scale": 6},
        )
        beyond = tip + 0.3 * size * along / float(np.linalg.norm(along))
        panel.text(beyond[0], beyond[1], f"$x_{number}$", fontsize=7, ha="center", va="center")
    panel.set_xlim(corner[0] - 0.3 * size, high[0] + 0.04 * width)
    panel.set_ylim(low[1] - 0.04 * height - 0.3 * size, high[1] + 0.04 * height)
    panel.set_aspect("equal")
    panel.axis("off")


def rms_ellipse(axes: pd.DataFrame) -> Ellipse:
    """One standard deviation of random errors, from rows of ``principal_axes``."""
    rows = axes[axes.of == "weights"].sort_values("rank")
    long, short = rows.deviation
    angle = np.degrees(np.arctan2(rows.y.iloc[0], rows.x.iloc[0]))
    # A white seam, since sets are dark where they are small.
    seam = [patheffects.withStroke(linewidth=2.6, foreground="white")]
    return Ellipse(
        (0, 0), 2 * long, 2 * short, angle=angle, fill=False, zorder=5, path_effects=seam, **RMS
    )


def add_shade_bar(figure: Figure, drawn: Any, panels: list[Axes], label: str, **place: Any) -> None:
    """Say which shade is which size of error."""
    bar = figure.colorbar(drawn, ax=panels, **place)
    bar.set_label(label)
    bar.outline.set_visible(False)
