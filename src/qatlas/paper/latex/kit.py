"""All files of the kit, in one folder."""

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

from qatlas.atomic import replacing
from qatlas.paper.figures import PrintedFigure
from qatlas.paper.latex.document import main_tex
from qatlas.paper.latex.figures import figure_name, figure_tex
from qatlas.paper.latex.tables import table_tex
from qatlas.paper.latex.values import values_tex
from qatlas.paper.tables.printed import Rendered
from qatlas.paper.values import Values


def write_kit(
    figures: Sequence[PrintedFigure],
    tables: Sequence[Rendered],
    values: Values,
    references: str | Path,
    folder: str | Path,
) -> None:
    """Write the kit: figures, tables, values, references, and an article that shows them.

    Parameters
    ----------
    figures, tables
        In the order in which the article shows them; tables without rows are left out.
    values
        Of all chapters.
    references
        The BibTeX file, which is copied.
    folder
        Where the kit is to lie.
    """
    folder = Path(folder)
    shown = [table for table in tables if table.rows]
    written = {
        "values.tex": values_tex(values),
        "main.tex": main_tex(figures, shown, values),
        **{f"figures/{figure_name(figure)}.tex": figure_tex(figure) for figure in figures},
        **{f"tables/{table.name}.tex": table_tex(table) for table in shown},
    }
    copied = {
        "references.bib": references,
        **{f"figures/{figure_name(figure)}.pdf": figure.file for figure in figures},
    }
    for name, text in written.items():
        with replacing(folder / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    for name, source in copied.items():
        with replacing(folder / name) as unfinished:
            copyfile(source, unfinished)
