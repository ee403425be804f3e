"""Colours on a light and on a dark page."""

from dataclasses import dataclass
from typing import Any

from matplotlib.colors import to_hex, to_rgb

_CONTRAST = 3.0
"""Least contrast of lines and markers with the page (WCAG 2.2, success criterion 1.4.11)."""
_STEPS = 100


@dataclass(frozen=True)
class Theme:
    """Colours of the page that plots share; those of codecs are told apart from ``page``.

    Attributes
    ----------
    page, ink, faint, grid
        Of the page, its text and bounds, axes and their labels, and the lines of the grid.
    pale
        Opacity of what does not stand out.
    """

    page: str
    ink: str
    faint: str
    grid: str
    pale: float


THEMES = {
    "light": Theme(page="#ffffff", ink="#000000", faint="#4a4f57", grid="#e4e6ea", pale=0.4),
    "dark": Theme(page="#14171c", ink="#ffffff", faint="#b4bac4", grid="#2c313a", pale=0.6),
}


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def on_page(colour: str, theme: Theme) -> str:
    """A colour of the figures as the page shows it.

    On white it stays what it is in all figures. On a dark page one that could not be told from it
    is mixed with white, as little as is enough.
    """
    if _luminance(theme.page) > _luminance(theme.ink):
        return to_hex(colour)
    mixed = (_mix(colour, theme.ink, step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in mixed if contrast(shade, theme.page) >= _CONTRAST)


def plot_config(theme: Theme, families: list[str]) -> dict[str, Any]:
    """Vega-Lite's configuration of plots on a page; colours of families in their order."""
    return {
        "background": None,
        "font": "system-ui, sans-serif",
        "range": {"category": [on_page(colour, theme) for colour in families]},
        "axis": {
            "labelColor": theme.faint,
            "titleColor": theme.ink,
            "domainColor": theme.faint,
            "tickColor": theme.faint,
            "gridColor": theme.grid,
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "titleFontSize": 13,
        },
        "view": {"stroke": None},
        "style": {
            "limit": {"color": theme.ink},
            "chosen": {"color": theme.ink},
            "pale": {"opacity": theme.pale},
        },
    }


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(to_rgb(colour), to_rgb(other), strict=True)
    return to_hex(tuple((1 - share) * a + share * b for a, b in pairs))  # type: ignore[arg-type]


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
