"""Perplexity against precision: which models survive few bits, and which may be deployed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from qatlas.function.robustness.claims import CHECKS, check_value, verdict
from qatlas.function.robustness.drawing import (
    MARKED_BITS,
    MARKS,
    REGION,
    THRESHOLD,
    draw_curve,
    draw_limits,
    draw_mark,
    line_styles,
    model_colours,
    places_of,
    set_axes,
    shifts,
    sign_of,
)
from qatlas.function.robustness.names import (
    FLOAT_BITS,
    model_title,
    models_in_order,
    name_part,
    point_name,
    precision_name,
)
from qatlas.function.robustness.points import points_with_shown
from qatlas.function.robustness.scale import Scale, scale_of
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.function.robustness.values import Written, write_values
from qatlas.plotting import FULL_WIDTH, GREY, readable
from qatlas.summary import Summary

_LARGE, _SMALL = 2.7, 1.5
_MOST_COLUMNS = 4
_TYPE_SIZE, _SMALL_TYPE_SIZE = 7, 6
_WATERMARK: dict[str, Any] = {
    "fontsize": 64,
    "fontweight": "bold",
    "color": "0.35",
    "alpha": 0.2,
    "rotation": 22,
    "zorder": 10,
}


def select(tables: Mapping[str, pd.DataFrame], settings: RobustnessSettings) -> pd.DataFrame:
    """Means over seeds of all lines at the precisions that are shown, the shown line first.

    Columns are those of ``points``, whether the line is the shown one, and the absolute threshold.
    """
    table = points_with_shown(tables["robustness"], settings)
    table = table.assign(absolute_threshold=settings.absolute_threshold)
    return table.sort_values("shown", ascending=False, kind="stable", ignore_index=True)


def draw(drawn: pd.DataFrame) -> Figure:
    """The shown line of all models; if there are other lines, below it a panel a model with all."""
    colours = model_colours(map(str, drawn.model))
    figure, large, panels = _panels(len(colours) if drawn.line.nunique() > 1 else 0)
    values = {large: _draw_models(large, drawn, colours)}
    scale = _scale(drawn)
    for (model, colour), panel in zip(colours.items(), panels, strict=False):
        values[panel] = _draw_lines(panel, drawn, model, scale, colour)
    figure.legend(handles=_legend(drawn, colours), loc="outside lower center", ncols=4)
    if (drawn.source == "simulated").any():
        figure.text(0.5, 0.55, "SIMULATED", ha="center", va="center", **_WATERMARK)
    figure.draw_without_rendering()
    for panel, written in values.items():
        write_values(figure, panel, written, _TYPE_SIZE if panel is large else _SMALL_TYPE_SIZE)
    return figure


def _panels(small: int) -> tuple[Figure, Axes, list[Axes]]:
    """A figure with a panel across it and so many small ones below."""
    columns = min(max(small, 1), _MOST_COLUMNS)
    rows = -(-small // columns)
    heights = [_LARGE, *(_SMALL for _ in range(rows))]
    figure = Figure(figsize=(FULL_WIDTH, sum(heights) + 0.35), layout="constrained")
    grid = figure.add_gridspec(1 + rows, columns, height_ratios=heights)
    large = figure.add_subplot(grid[0, :])
    panels = [figure.add_subplot(grid[1 + i // columns, i % columns]) for i in range(small)]
    for place, panel in enumerate(panels):
        panel.tick_params(labelleft=place % columns == 0)
        panel.set_ylabel("" if place % columns else "perplexity")
    return figure, large, panels


def _scale(drawn: pd.DataFrame) -> Scale:
    return scale_of(
        drawn.perplexity,
        drawn[drawn.bit_width == FLOAT_BITS].perplexity,
        drawn.absolute_threshold.iloc[0],
    )


def _bit_widths(drawn: pd.DataFrame) -> list[int]:
    return sorted(map(int, drawn.bit_width.unique()), reverse=True)


def _draw_models(panel: Axes, drawn: pd.DataFrame, colours: Mapping[str, str]) -> list[Written]:
    """A curve a model; returns the values to write at their points."""
    shown, bit_widths = drawn[drawn.shown], _bit_widths(drawn)
    threshold = float(drawn.absolute_threshold.iloc[0])
    scale = _scale(shown)
    set_axes(panel, bit_widths, scale, names=True)
    draw_limits(panel, scale, threshold, threshold)
    values = []
    for shift, (model, colour) in zip(shifts(len(colours)), colours.items(), strict=True):
        curve = shown[shown.model == model]
        places = places_of(curve, bit_widths, scale, shift)
        draw_curve(panel, curve, places, scale, {"color": colour, "marker": "o", "label": model})
        for bits, deployable, place in zip(curve.bit_width, curve.deployable, places, strict=True):
            if bits == MARKED_BITS and deployable is not None:
                draw_mark(panel, place, deployable, colour)
        values += _values(curve, places, scale, colour)
    title = f"all models, {readable(str(shown.line.iloc[0]))}"
    panel.set(xlabel="bits per weight", ylabel="perplexity", title=title)
    return values


def _draw_lines(
    panel: Axes, drawn: pd.DataFrame, model: str, scale: Scale, colour: str
) -> list[Written]:
    """A curve a line of one model; returns the values that are off the axis."""
    its_rows, bit_widths = drawn[drawn.model == model], _bit_widths(drawn)
    styles = line_styles(list(map(str, drawn.line.unique())))
    set_axes(panel, bit_widths, scale, names=False)
    draw_limits(panel, scale, float(drawn.absolute_threshold.iloc[0]), its_rows.limit.min())
    values = []
    for shift, (line, style) in zip(shifts(len(styles)), styles.items(), strict=True):
        curve = its_rows[its_rows.line == line]
        places = places_of(curve, bit_widths, scale, shift)
        draw_curve(panel, curve, places, scale, style | {"color": colour, "label": line})
        values += _values(curve, places, scale, colour, sign_of(style))
    panel.set(xlabel="bits per weight", title=model_title(model))
    return [value for value in values if value.clipped]


def _values(
    curve: pd.DataFrame, places: Any, scale: Scale, colour: str, sign: str = ""
) -> list[Written]:
    return [
        Written(perplexity, (float(x), float(y)), colour, scale.clips(perplexity), sign)
        for perplexity, (x, y) in zip(curve.perplexity, places, strict=True)
    ]


def _legend(drawn: pd.DataFrame, colours: Mapping[str, str]) -> list[Artist]:
    """Models, lines if there are several, and what limits, region and marks mean."""
    styles = line_styles(list(map(str, drawn.line.unique())))
    marked = drawn[drawn.shown & (drawn.bit_width == MARKED_BITS)].deployable
    at = f"at {precision_name(MARKED_BITS)}"
    meanings = {True: f"deployable {at}", False: f"not deployable {at}"}
    return [
        *(
            Line2D([], [], color=colour, marker="o", label=model_title(model))
            for model, colour in colours.items()
        ),
        *(
            Line2D([], [], color=GREY, label=readable(line), **style)
            for line, style in styles.items()
            if len(styles) > 1
        ),
        Line2D([], [], label=f"threshold {drawn.absolute_threshold.iloc[0]:g}", **THRESHOLD),
        Patch(label="deployable", **REGION),
        *(
            Line2D([], [], linestyle="none", color=GREY, label=label, **MARKS[deployable])
            for deployable, label in meanings.items()
            if (marked == deployable).any()
        ),
    ]


def caption(summary: Summary, settings: RobustnessSettings) -> str:
    """What the figure shows, and which checks fail."""
    line = summary.written("robustness.shown_line")
    models = "; ".join(_of_model(summary, model, line) for model in _models(summary, line))
    return (
        f"{'SIMULATED, random numbers. ' if summary.source == 'simulated' else ''}"
        f"Perplexity against the bits of a weight, {readable(line)}: means over training seeds, "
        "with a standard deviation where there are several; an arrow stands for a perplexity off "
        "the axis. Deployable: "
        f"at most {settings.absolute_threshold:g} (dashes) and at most "
        f"{settings.relative_threshold:g} times the model's own at fp32 (shaded in small panels). "
        f"{models}. {_verdicts(summary)}"
    )


def _models(summary: Summary, line: str) -> list[str]:
    """Models of a line, as the names of values have them."""
    names = (name.split(".") for name in summary.values)
    return models_in_order(
        parts[1] for parts in names if parts[2:3] == [name_part(line)] and "perplexity" in parts
    )


def _of_model(summary: Summary, model: str, line: str) -> str:
    """Such as ``Mamba: 32.99 at fp32, 211.05 at int4 (not deployable)``."""
    at_32, marked = (
        _written(summary, f"{point_name(model, line, bits)}.perplexity")
        for bits in (FLOAT_BITS, MARKED_BITS)
    )
    deployable = summary.written(f"{point_name(model, line, MARKED_BITS)}.deployable")
    remark = {"yes": " (deployable)", "no": " (not deployable)"}.get(deployable, "")
    return (
        f"{model_title(model)}: {at_32} at {precision_name(FLOAT_BITS)}, {marked} at "
        f"{precision_name(MARKED_BITS)}{remark}"
    )


def _written(summary: Summary, name: str) -> str:
    """A perplexity; those that have a name but no value are infinite."""
    if name in summary.values and summary[name].value is None:
        return "infinite"
    return summary.written(name, ".2f")


def _verdicts(summary: Summary) -> str:
    """Which checks hold, fail and could not be made, those that fail with their value."""
    judged = {name: summary.claims[name] for name in CHECKS if name in summary.claims}
    by_verdict: dict[str, list[str]] = {"holds": [], "fails": [], "not measured": []}
    for name, its_claim in judged.items():
        value = f" ({check_value(CHECKS[name], its_claim)})" if its_claim.holds is False else ""
        by_verdict[verdict(its_claim)].append(f"{CHECKS[name].text}{value}")
    sentences = [f"{len(by_verdict['holds'])} of {len(judged)} checks hold."]
    for kind in ("fails", "not measured"):
        if by_verdict[kind]:
            sentences.append(f"{kind.capitalize()}: {'; '.join(by_verdict[kind])}.")
    return " ".join(sentences)
