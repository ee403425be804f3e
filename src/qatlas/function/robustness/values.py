"""The perplexities that are written beside their points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qatlas.function.robustness.drawing import ARROW_POINTS
from qatlas.function.robustness.labels import Floats, Label, placed, sampled, text_size

_AROUND = np.linspace(0, 2 * np.pi, 12, endpoint=False)


@dataclass(frozen=True)
class Written:
    """A perplexity, where its point is drawn (place on the axis of precisions, height), its colour.

    One that is clipped has an arrow upwards from its point. The sign, such as that of its line,
    stands before the number.
    """

    perplexity: float
    place: tuple[float, float]
    colour: str
    clipped: bool = False
    sign: str = ""

    @property
    def text(self) -> str:
        """What is written."""
        return f"{self.sign} {value_text(self.perplexity)}".lstrip()

    @property
    def column(self) -> int:
        """Index of its precision."""
        return round(self.place[0])


def value_text(perplexity: float) -> str:
    """A perplexity as short as a figure wants it."""
    if not math.isfinite(perplexity):
        return "∞"
    if perplexity < 9999.5:
        return f"{perplexity:.{0 if perplexity >= 999.95 else 1}f}"
    digits, _, power = f"{perplexity:.1e}".partition("e")
    return f"{digits}e{int(power)}"


def write_values(figure: Figure, panel: Axes, values: Sequence[Written], size: float) -> None:
    """Write perplexities beside their points, off all that is drawn in the panel.

    Parameters
    ----------
    figure
        The figure, complete but for values and laid out.
    panel
        Where they are written.
    values
        What is written.
    size
        Of the type, in points.
    """
    if not values:
        return
    to_points = 72 / figure.dpi
    points = panel.transData.transform([value.place for value in values]) * to_points
    order = in_order_of_placing(values)
    labels = [
        Label((x, y), text_size(values[i].text, size), above, level=values[i].clipped)
        for i, above in order
        for x, y in [points[i]]
    ]
    arrows = [point for value, point in zip(values, points, strict=True) if value.clipped]
    centres = placed(
        labels,
        np.concatenate([_drawn(panel) * to_points, *(_arrow(*point) for point in arrows)]),
        [float(end) * to_points for end in panel.get_window_extent().extents],
    )
    for (i, _), centre in zip(order, centres, strict=True):
        panel.annotate(
            values[i].text,
            values[i].place,
            xytext=centre - points[i],
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            color=values[i].colour,
            zorder=6,
        ).set_in_layout(False)


def in_order_of_placing(values: Sequence[Written]) -> list[tuple[int, bool]]:
    """Indices of values in the order of placing, and whether each goes above its point.

    At every precision the upper half goes above and the lower half below, innermost first, so that
    values stand above each other as their points do.
    """
    return [entry for column in _columns(values) for entry in _outwards(column)]


def _columns(values: Sequence[Written]) -> Iterator[list[int]]:
    """Indices of the values of each precision, from the lowest point up."""
    upwards = sorted(range(len(values)), key=lambda i: values[i].place[1])
    for column in sorted({value.column for value in values}):
        yield [i for i in upwards if values[i].column == column]


def _outwards(column: Sequence[int]) -> list[tuple[int, bool]]:
    middle = len(column) // 2
    return [(i, True) for i in column[middle:]] + [(i, False) for i in column[:middle][::-1]]


def _drawn(panel: Axes) -> Floats:
    """Pixels that lines and their markers lie on, shape (points, 2)."""
    return np.concatenate([np.empty((0, 2)), *(_of_line(line) for line in panel.get_lines())])


def _of_line(line: Line2D) -> Floats:
    corners = line.get_transform().transform(line.get_xydata())
    segments = sampled(np.array([*pairwise(corners)]).reshape(-1, 2, 2))
    if line.get_marker() in ("None", "", None):
        return segments
    figure = line.get_figure()
    radius = line.get_markersize() / 2 * (figure.dpi / 72 if figure else 1)
    rim = radius * np.stack([np.cos(_AROUND), np.sin(_AROUND)], axis=1)
    return np.concatenate([segments, (corners[:, None] + rim).reshape(-1, 2)])


def _arrow(x: float, y: float) -> Floats:
    """Points of an arrow upwards and of its head."""
    sides = [[[x + side, y], [x + side, y + ARROW_POINTS]] for side in (-3, 0, 3)]
    return sampled(np.array(sides))
