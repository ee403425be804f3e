"""How a figure becomes files: PDF, preview, data, caption, and formats that are asked for."""

import re
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import collections as mpl_collections
from matplotlib.artist import Artist
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from qatlas.atomic import replacing
from qatlas.plotting import require_font

FORMAT_SUFFIXES = {"svg": ".svg", "eps": ".eps", "png": ".300dpi.png"}
"""Formats that can be asked for besides, and how their files' names end.

The PNG for print has a name of its own, since the preview is a PNG too.
"""

_SUFFIXES = {"pdf": ".pdf", "png": ".png", "drawn": ".csv", "caption": ".rst"}
_COLOURS = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def figure_paths(stem: str, formats: Collection[str]) -> dict[str, str]:
    """Files of a figure, by what they hold.

    Parameters
    ----------
    stem
        Their common path, without suffix.
    formats
        Names in ``FORMAT_SUFFIXES``.

    Returns
    -------
    dict
        The paths of ``pdf``, ``png`` (the preview), ``drawn`` and ``caption``, and of
        ``as_FORMAT`` for each of the formats.
    """
    besides = {f"as_{name}": s for name, s in FORMAT_SUFFIXES.items() if name in formats}
    return {kind: f"{stem}{suffix}" for kind, suffix in (_SUFFIXES | besides).items()}


def save_figure(
    figure: Figure, drawn: pd.DataFrame, caption: str, pdf: str | Path, formats: Collection[str]
) -> None:
    """Write a figure as PDF; beside it a PNG preview, the CSV of what is drawn and the caption.

    The same figure gives the same bytes: no time stamps are written. Files in a format that is no
    longer asked for are removed, since they would show older data. EPS knows no transparency: in
    it, and in the figure afterwards, colours that let others through are blended with white.

    Parameters
    ----------
    formats
        Names in ``FORMAT_SUFFIXES``: what the figure is written as besides.

    Raises
    ------
    AtlasError
        If Matplotlib does not find the font of the figures.
    """
    require_font()
    paths = {
        kind: Path(path)
        for kind, path in figure_paths(str(Path(pdf).with_suffix("")), FORMAT_SUFFIXES).items()
    }
    with replacing(paths["pdf"]) as unfinished:
        figure.savefig(unfinished, metadata={"CreationDate": None})
    with replacing(paths["png"]) as unfinished:
        figure.savefig(unfinished, dpi=200, metadata={"Software": None})
    with replacing(paths["drawn"]) as unfinished:
        drawn.to_csv(unfinished, index=False, lineterminator="\n")
    with replacing(paths["caption"]) as unfinished:
        unfinished.write_text(f"{caption}\n")
    for name, save in _SAVED.items():
        path = paths[f"as_{name}"]
        if name not in formats:
            path.unlink(missing_ok=True)
            continue
        with replacing(path) as unfinished:
            save(figure, unfinished)


def _save_svg(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})


def _save_png(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=300, metadata={"Software": None})


def _save_eps(figure: Figure, path: Path) -> None:
    make_opaque(figure)
    # Matplotlib takes an EPS's title from its file's name and always writes its date.
    drawn = BytesIO()
    figure.savefig(drawn, format="eps")
    path.write_bytes(re.sub(rb"%%CreationDate: .*\n", b"", drawn.getvalue()))


# EPS last: it changes the figure.
_SAVED = {"svg": _save_svg, "png": _save_png, "eps": _save_eps}


def make_opaque(figure: Figure) -> None:
    """Blend every colour of a figure that lets others through with white, and draw it opaque.

    Alone on the page a thing looks the same as before; what it lies on is hidden.
    """
    for artist in _artists(figure):
        # Lines and texts keep alpha apart; the colours of all others have it in them.
        apart = artist.get_alpha() if isinstance(artist, Line2D | Text) else None
        colours = {
            name: to_rgba_array(getattr(artist, f"get_{name}")(), apart)
            for name in _COLOURS
            if hasattr(artist, f"get_{name}")
        }
        if not any(_lets_through(colour).any() for colour in colours.values()):
            continue
        artist.set_alpha(None)
        for name, colour in colours.items():
            blended: Any = _on_white(colour)
            single = not isinstance(artist, mpl_collections.Collection)
            getattr(artist, f"set_{name}")(blended[0] if single else blended)


def _artists(figure: Figure) -> Iterator[Artist]:
    """Everything that is drawn; Matplotlib does not count boxes and arrows of texts as children."""
    for artist in figure.findobj():
        yield artist
        if isinstance(artist, Text):
            of_text = (artist.get_bbox_patch(), getattr(artist, "arrow_patch", None))
            yield from (patch for patch in of_text if patch is not None)


def _lets_through(colours: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (colours[:, 3] > 0) & (colours[:, 3] < 1)


def _on_white(colours: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Colours (n, 4) on white; what was not to be seen at all stays so."""
    alpha = colours[:, 3:]
    rgb = np.where(alpha > 0, 1 - alpha * (1 - colours[:, :3]), colours[:, :3])
    return np.hstack([rgb, np.sign(alpha)])
