"""The paper, set by Typst from its source and what a study found."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, nearest
from qatlas.paper.figures import PrintedFigure
from qatlas.paper.values import read_values

_MAIN = "main.typ"
_MISSING = re.compile(r"no value or claim named `([^`]+)`")


def typeset(
    source: str | Path,
    data: Mapping[str, str | Path],
    figures: Sequence[PrintedFigure],
    pdf: str | Path,
) -> None:
    """Set the paper as PDF: the same bytes from the same source, data and figures.

    Only fonts that Typst carries are used, so that it is the same on every machine.

    Parameters
    ----------
    source
        Folder with ``main.typ``.
    data
        Files that the source finds as ``data/<name>.json``, by name; ``values`` among them.
    figures
        Figures that the source finds as ``figures/<chapter>.<name>.pdf``.
    pdf
        File to write.

    Raises
    ------
    AtlasError
        If Typst refuses the source or warns of it, such as of a value that no summary has or a
        font that is not there; the message has the place and what is wrong with it.
    """
    with TemporaryDirectory() as folder:
        build = Path(folder) / "paper"
        shutil.copytree(source, build)
        _lay_out(build, data, figures)
        try:
            pages, warnings = typst.compile_with_warnings(
                str(build / _MAIN), root=str(build), ignore_system_fonts=True, timestamp=0
            )
        except typst.TypstError as error:
            raise AtlasError(_explained(error.message, error.diagnostic, data["values"])) from error
    if warnings:
        said = "\n".join(warning.diagnostic for warning in warnings)
        fonts = ", ".join(sorted(typst.Fonts(include_system_fonts=False).families()))
        raise AtlasError(
            f"{source}: Typst warns, and a paper with warnings is not written:\n{said}\n"
            f"Fonts that there are: {fonts}."
        )
    with replacing(pdf) as unfinished:
        unfinished.write_bytes(pages)


def _lay_out(build: Path, data: Mapping[str, str | Path], figures: Sequence[PrintedFigure]) -> None:
    for name, file in data.items():
        _copy(file, build / "data" / f"{name}.json")
    described = {f"{figure.chapter}.{figure.name}": asdict(figure) for figure in figures}
    (build / "data" / "figures.json").write_text(json.dumps(described))
    for name, figure in described.items():
        _copy(figure["file"], build / "figures" / f"{name}.pdf")


def _copy(file: str | Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    shutil.copyfile(file, to)


def _explained(message: str, diagnostic: str, values: str | Path) -> str:
    """What Typst says, and of a name that is not there the nearest that is."""
    missing = _MISSING.search(message)
    if missing is None:
        return diagnostic.strip()
    known = read_values(values)
    return f"{diagnostic.strip()}\n{nearest(missing[1], {**known.values, **known.claims})}"
