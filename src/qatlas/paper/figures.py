"""The figures of a study in the order in which they are printed, with their captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader

_POINTS_PER_INCH = 72


@dataclass(frozen=True)
class PrintedFigure:
    """One figure.

    Attributes
    ----------
    name
        Of its module and file.
    chapter
        That it belongs to.
    file
        The PDF.
    caption
        Plain text; may hold ``E[x x^T]`` and the like.
    width, height
        Inches.
    """

    name: str
    chapter: str
    file: str
    caption: str
    width: float
    height: float


def figures_in_order(files: Sequence[str | Path]) -> list[PrintedFigure]:
    """Figures of one chapter after the other.

    Parameters
    ----------
    files
        PDFs ``.../<chapter>/figures/<name>.pdf``, each with its caption in an ``.rst`` beside it.

    Returns
    -------
    list of PrintedFigure
        Chapters, and figures of a chapter, in the order of the files.
    """
    figures = [_read(Path(file)) for file in files]
    chapters = list(dict.fromkeys(figure.chapter for figure in figures))
    return sorted(figures, key=lambda figure: chapters.index(figure.chapter))


def _read(file: Path) -> PrintedFigure:
    page = PdfReader(file).pages[0].mediabox
    return PrintedFigure(
        name=file.stem,
        chapter=file.parent.parent.name,
        file=str(file),
        caption=file.with_suffix(".rst").read_text().strip(),
        width=float(page.width) / _POINTS_PER_INCH,
        height=float(page.height) / _POINTS_PER_INCH,
    )
