"""One look for all figures, which importing this module sets."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont

from qatlas.errors import AtlasError

COLUMN_WIDTH = 3.25
FULL_WIDTH = 6.75
"""Widths of a figure in inches: one column of a two-column page, and both."""

GREY = "0.45"
BOUND: dict[str, Any] = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 1.0, "zorder": 1}
"""How a limit is drawn: black dashes, beneath the data."""

# Okabe and Ito 2008: distinguishable with every common form of colour blindness.
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_BROWN, _GREY, _OLIVE = "#8B5A2B", "#777777", "#999933"
_PURPLE, _INDIGO, _WINE, _TEAL = "#7B4FB5", "#332288", "#882255", "#44AA99"
_BLUE, _RED, _GREEN = "#6699FF", "#BB2222", "#336600"
FAMILY_COLOURS = {
    "uniform": _PALETTE[0],
    "lloyd_max": _PALETTE[1],
    "entropy_coded": _PALETTE[2],
    "entropy_coded_trellis": _PALETTE[3],
    "rotate": _PALETTE[4],
    "formats": _PALETTE[5],
    "lattice": _BROWN,
    "vector": _INDIGO,
    "bitsandbytes_4bit": _GREY,
    "gguf_block": _OLIVE,
    "trellis": _PURPLE,
    "hqq_group": _WINE,
    "torchao_weight_only": _TEAL,
    "gptq": _RED,
    "ldlq": _BLUE,
    "awq": _GREEN,
}
KIND_COLOURS = {
    "embedding": _PALETTE[0],
    "attention": _PALETTE[1],
    "mlp": _PALETTE[2],
    "head": _PALETTE[3],
    "convolution": _PALETTE[4],
    "linear": _PALETTE[5],
}
WEIGHTING_COLOURS = {"plain": _PALETTE[0], "normalised": _PALETTE[1]}
"""Colours of codec families, of groups of tensor kinds, of weightings: the same in all figures."""

_MARKERS = "osD^vP*Xhpd<>8Hx"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)))

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.2,
    "lines.markeredgewidth": 0.5,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "qatlas",
}
mpl.rcParams.update(_STYLE)


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **subplots: Any
) -> tuple[Figure, list[Axes]]:
    """Empty figure of a size in inches, and its axes row by row.

    The figure belongs to no global state and closes itself.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **subplots)
    return figure, list(axes.flat)


def require_font() -> None:
    """Refuse to draw without the font of the figures; Matplotlib would take another.

    Raises
    ------
    AtlasError
        If Matplotlib does not find it.
    """
    family = _STYLE["font.family"]
    try:
        findfont(FontProperties(family=family), fallback_to_default=False)
    except ValueError as error:
        raise AtlasError(
            f"figures are drawn in the font {family!r}, which Matplotlib does not find, though "
            f"{Path(mpl.get_data_path()) / 'fonts' / 'ttf'} should have it; delete the list of "
            f"fonts in {mpl.get_cachedir()}, and if that does not help, install Matplotlib again: "
            f"{sys.executable} -m pip install --force-reinstall --no-deps "
            f"matplotlib=={mpl.__version__}"
        ) from error


def family_colour(family: str) -> str:
    """Colour of a codec family; one that has none of its own gets one by its name."""
    return FAMILY_COLOURS.get(family, _PALETTE[2 + crc32(family.encode()) % (len(_PALETTE) - 2)])


def family_style(family: str) -> dict[str, Any]:
    """Line style of the best of a codec family: its colour, and a marker that goes with it."""
    known = list(FAMILY_COLOURS)
    place = known.index(family) if family in known else crc32(family.encode())
    return {
        "color": family_colour(family),
        "marker": _MARKERS[place % len(_MARKERS)],
        "linewidth": 1.3,
        "markersize": 3.6,
        "label": readable(family),
        "zorder": 3,
    }


def named_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each of at most six names, by their order in the alphabet."""
    return dict(zip(sorted(set(names)), _PALETTE, strict=False))


def series_styles(families: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Line style of every series: the family gives the hue, its place in it shade and marker.

    Parameters
    ----------
    families
        Family of each series, in the order in which they are to be shaded.
    """
    styles = {}
    for family in dict.fromkeys(families.values()):
        members = [series for series, its_family in families.items() if its_family == family]
        for place, series in enumerate(members):
            lightness = 0.5 * place / max(len(members) - 1, 1)
            styles[series] = {
                "color": _lighten(family_colour(family), lightness),
                "marker": _MARKERS[place % len(_MARKERS)],
                "linestyle": _DASHES[place % len(_DASHES)],
                "label": readable(series),
            }
    return styles


def context_style(family: str) -> dict[str, Any]:
    """Line style of a series that is shown but not singled out: thin, pale, not in the legend."""
    return {
        "color": _lighten(family_colour(family), 0.65),
        "linewidth": 0.45,
        "label": "_other",
        "zorder": 1.5,
    }


def blank_figure(width: float, text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    figure, (panel,) = new_figure(width, 1.0)
    panel.axis("off")
    panel.text(0.5, 0.5, text, ha="center", va="center", transform=panel.transAxes)
    return figure


def plot_by_layer(panel: Axes, tensors: pd.DataFrame, quantity: str) -> None:
    """Draw a quantity of tensors against their layer, a marker a kind, side by side.

    Tensors outside the stack of layers, such as embeddings, stand to the left of it.

    Parameters
    ----------
    tensors
        Columns kind, layer (missing outside the stack) and the quantity.
    """
    kinds = sorted(tensors.kind.unique())
    for place, kind in enumerate(kinds):
        rows = tensors[tensors.kind == kind]
        panel.plot(
            rows.layer.fillna(-1) + 0.6 * ((place + 0.5) / len(kinds) - 0.5),
            rows[quantity],
            linestyle="none",
            marker=_MARKERS[place % len(_MARKERS)],
            markersize=4,
            color=KIND_COLOURS[kind.partition("_")[0]],
            label=readable(kind),
        )
    ticks = {int(layer): f"{layer:g}" for layer in sorted(tensors.layer.dropna().unique())}
    outside = {-1: "none"} if tensors.layer.isna().any() else {}
    panel.set_xticks([*outside, *ticks], [*outside.values(), *ticks.values()])
    panel.set(yscale="log", xlabel="layer")


def readable(name: str) -> str:
    """A name of the configuration as a reader wants it."""
    return name.replace("_", " ")


def shorten(name: str, longest: int) -> str:
    """A tensor's name cut in the middle to at most so many characters."""
    if len(name) <= longest:
        return name
    tail = longest * 2 // 3
    return f"{name[: longest - tail - 1]}…{name[-tail:]}"


def _lighten(colour: str, share: float) -> tuple[float, ...]:
    return tuple(c + (1 - c) * share for c in to_rgb(colour))
