"""Plots of the page as Vega-Lite, made and checked with Altair.

A plot has no data of its own: the page fills the sets ``lines``, ``points``, ``limits`` and
``chosen`` and the ends of the axes.
"""

from typing import Any

import altair as alt

from qatlas.paper.explorer.content import Dataset, Quantity, View

ENDS = ("x_low", "x_high", "y_low", "y_high")
"""Parameters of a plot: where its axes end."""

SHAPES = (
    "M-1,0A1,1,0,1,0,1,0A1,1,0,1,0,-1,0Z",
    "M-.85,-.85H.85V.85H-.85Z",
    "M0,-1L1,.8H-1Z",
    "M0,-1.1L.9,0L0,1.1L-.9,0Z",
    "M-.35,-1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z",
    "M0,1L1,-.8H-1Z",
    "M-1,0L.8,-1V1Z",
    "M1,0L-.8,-1V1Z",
)
"""Markers, in turn, as paths in a square from -1 to 1, which the legend draws too."""
DASHES = ((1.0, 0.0), (7.0, 2.0), (2.0, 2.0), (7.0, 2.0, 2.0, 2.0))
"""Dashes of the lines of a family, in turn."""

# The nearest point is found by a cell around it, whose datum is the marker; that has the row.
_TIP = alt.ExprRef("datum.datum ? datum.datum.tip : datum.tip")


def chart(view: View, quantity: Quantity, dataset: Dataset) -> dict[str, Any]:
    """One plot as a Vega-Lite specification.

    Raises
    ------
    altair.utils.schemapi.SchemaValidationError
        If it is not valid.
    """
    x = alt.X("x:Q", title=view.x_label, scale=_scale(view.x_axis, "x"), axis=_axis())
    y = alt.Y("y:Q", title=quantity.label, scale=_scale(quantity.axis, "y"), axis=_axis())
    layers = [
        *_limits(x, y, dataset),
        *_lines(x, y, dataset),
        *_points(x, y, dataset, quantity),
    ]
    ends = [alt.param(name=end, value=1) for end in ENDS]
    layered = alt.layer(*layers, data=alt.NamedData("points")).add_params(*ends)
    drawn = layered.properties(
        width="container",
        height="container",
        autosize=alt.AutoSizeParams(type="fit", contains="padding", resize=True),
        description=f"{quantity.label} against {view.x_label}; the table below has the same points",
    ).resolve_scale(shape="independent", strokeDash="independent")
    return drawn.to_dict()  # type: ignore[no-any-return]


def _scale(kind: str, axis: str) -> alt.Scale:
    ends = [alt.ExprRef(f"{axis}_low"), alt.ExprRef(f"{axis}_high")]
    # An axis with given ends takes no zero in, but on a linear one that must be said.
    linear = {"zero": False} if kind == "linear" else {}
    return alt.Scale(type=kind, domain=ends, nice=False, **linear)  # type: ignore[arg-type]


def _axis() -> alt.Axis:
    return alt.Axis(format="~g", labelOverlap=True, tickCount=6)


def _colour(dataset: Dataset) -> alt.Color:
    families = [family.name for family in dataset.families]
    scale = alt.Scale(domain=families, range="category")
    return alt.Color("family:N", scale=scale, legend=None)


def _dash(dashes: list[tuple[str, tuple[float, ...]]], field: str) -> alt.StrokeDash:
    names, patterns = zip(*dashes, strict=True)
    scale = alt.Scale(domain=list(names), range=[list(pattern) for pattern in patterns])
    return alt.StrokeDash(f"{field}:N", scale=scale, legend=None)


def _limits(x: alt.X, y: alt.Y, dataset: Dataset) -> list[alt.Chart]:
    """Limits as curves, and as levels where they have no x."""
    dash = _dash([(limit.name, limit.dashes) for limit in dataset.drawn_limits], "limit")
    base = alt.Chart(alt.NamedData("limits"))
    curves = base.transform_filter("isValid(datum.x)").mark_line(
        style="limit", strokeWidth=1.5, clip=True, aria=False
    )
    levels = base.transform_filter("!isValid(datum.x)").mark_rule(
        style="limit", strokeWidth=1.5, clip=True, aria=False
    )
    return [
        curves.encode(x=x, y=y, strokeDash=dash, detail="limit:N"),
        levels.encode(y=y, strokeDash=dash),
    ]


def _lines(x: alt.X, y: alt.Y, dataset: Dataset) -> list[alt.Chart]:
    """Pale lines of all else below those that stand out."""
    dash = _dash([(str(place), dashes) for place, dashes in enumerate(DASHES)], "dash")
    base = alt.Chart(alt.NamedData("lines"))
    encoded = {"x": x, "y": y, "color": _colour(dataset), "detail": ["line:N", "piece:N"]}
    pale = base.transform_filter("!datum.bold").mark_line(
        strokeWidth=0.8, style="pale", clip=True, aria=False
    )
    bold = base.transform_filter("datum.bold").mark_line(strokeWidth=2, clip=True, aria=False)
    return [pale.encode(**encoded), bold.encode(**encoded, strokeDash=dash)]


def _points(x: alt.X, y: alt.Y, dataset: Dataset, quantity: Quantity) -> list[alt.Chart]:
    """Markers, intervals, and the point that is nearest to the pointer or was chosen."""
    colour = _colour(dataset)
    places = [str(place) for place in range(len(SHAPES))]
    shape = alt.Shape("shape:N", scale=alt.Scale(domain=places, range=list(SHAPES)), legend=None)
    near = alt.selection_point(
        name="near", on="pointerover", clear="pointerout", nearest=True, fields=["row"], empty=False
    )
    base = alt.Chart(alt.NamedData("points"))
    pale = base.transform_filter("!datum.bold").mark_point(
        filled=True, size=12, style="pale", aria=False
    )
    bold = base.transform_filter("datum.bold").mark_point(filled=True, size=45, opacity=1)
    intervals = base.transform_filter("isValid(datum.low) && datum.bold").mark_rule(
        strokeWidth=1.5, clip=True, aria=False
    )
    hovered = base.mark_point(size=130, style="chosen", strokeWidth=1.5, filled=False, aria=False)
    chosen = alt.Chart(alt.NamedData("chosen")).mark_point(
        size=220, style="chosen", strokeWidth=2, filled=False, shape="circle", aria=False
    )
    return [
        pale.encode(x=x, y=y, color=colour),
        intervals.encode(x=x, y=alt.Y("low:Q", title=quantity.label), y2="high:Q", color=colour),
        bold.encode(x=x, y=y, color=colour, shape=shape, description="label:N"),
        chosen.encode(x=x, y=y),
        # The cells around points lie on top, so that every point can be pointed at.
        hovered.encode(
            x=x,
            y=y,
            opacity=alt.condition(near, alt.value(1), alt.value(0)),
            tooltip=alt.TooltipValue(_TIP),
        ).add_params(near),
    ]
