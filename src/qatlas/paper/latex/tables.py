"""A printed table with booktabs and siunitx: a float, or over pages where it is long."""

import re
from collections.abc import Iterable, Sequence

from qatlas.paper.latex.escape import escape, escape_name
from qatlas.paper.tables.printed import Heading, Rendered

LONGEST_FLOAT = 45
"""Rows of a table that still stands on one page."""

_WIDEST_IN_A_COLUMN = 46
"""Characters, of all columns together, of a table that fits one column of the page."""
_NOTHING = "--"
_DIGITS = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<part>\d+))?(?:e(?P<power>-?\d+))?$")


def is_long(table: Rendered) -> bool:
    """Whether it goes over pages, which LaTeX does in one column alone."""
    return len(table.rows) > LONGEST_FLOAT


def table_tex(table: Rendered) -> str:
    """The table with caption and label.

    A long one is a longtable, for a part of the article that is set in one column.
    """
    return _over_pages(table) if is_long(table) else _float(table)


def _float(table: Rendered) -> str:
    environment = "table" if _characters(table) <= _WIDEST_IN_A_COLUMN else "table*"
    return "\n".join(
        [
            rf"\begin{{{environment}}}[tp]",
            r"  \centering\footnotesize",
            f"  {_caption(table)}",
            r"  \begin{adjustbox}{max width=\linewidth}",
            rf"  \begin{{tabular}}{{{_columns(table)}}}",
            r"    \toprule",
            *_head(table),
            r"    \midrule",
            *_rows(table),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"  \end{adjustbox}",
            rf"\end{{{environment}}}",
            "",
        ]
    )


def _over_pages(table: Rendered) -> str:
    head = [r"    \toprule", *_head(table), r"    \midrule"]
    return "\n".join(
        [
            r"{\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"  \begin{{longtable}}{{{_columns(table)}}}",
            f"    {_caption(table)} \\\\",
            *head,
            r"    \endfirsthead",
            *head,
            r"    \endhead",
            r"    \bottomrule",
            r"    \endfoot",
            *_rows(table),
            r"  \end{longtable}",
            "}",
            "",
        ]
    )


def _caption(table: Rendered) -> str:
    return rf"\caption{{{escape(table.caption)}}}\label{{tab:{table.name}}}"


def _head(table: Rendered) -> list[str]:
    """Headings, and units beneath them where there are any."""
    lines = [_row(f"{{{escape(column.heading)}}}" for column in table.columns)]
    if any(column.unit for column in table.columns):
        units = (f"({escape(column.unit)})" if column.unit else "" for column in table.columns)
        lines.append(_row(f"{{{unit}}}" for unit in units))
    return lines


def _rows(table: Rendered) -> list[str]:
    return [_row(map(_cell, table.columns, row)) for row in table.rows]


def _row(cells: Iterable[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _cell(column: Heading, cell: str | None) -> str:
    if cell is None:
        return f"{{{_NOTHING}}}"
    if column.kind == "number":
        return cell if _DIGITS.match(cell) else f"{{{escape(cell)}}}"
    return escape_name(cell)


def _columns(table: Rendered) -> str:
    return "".join(
        "l" if column.kind == "text" else f"S[table-format={_format([r[i] for r in table.rows])}]"
        for i, column in enumerate(table.columns)
    )


def _format(cells: Sequence[str | None]) -> str:
    """Room for the numbers of a column, such as ``-2.3e-1``: sign, digits, power of ten."""
    found = [digits for cell in cells if cell is not None and (digits := _DIGITS.match(cell))]
    sign = "-" if any(digits["sign"] for digits in found) else ""
    whole = max((len(digits["whole"]) for digits in found), default=1)
    part = max((len(digits["part"] or "") for digits in found), default=0)
    powers = [digits["power"] for digits in found if digits["power"]]
    power = ""
    if powers:
        longest = max(len(power.lstrip("-")) for power in powers)
        power = f"e{'-' if any(p.startswith('-') for p in powers) else ''}{longest}"
    return f"{sign}{whole}.{part}{power}"


def _characters(table: Rendered) -> int:
    """Of the widest cell of every column, added up."""
    columns = zip(*table.rows, strict=True) if table.rows else [() for _ in table.columns]
    return sum(
        max(len(column.heading), *(len(cell or _NOTHING) for cell in cells), 0)
        for column, cells in zip(table.columns, columns, strict=True)
    )
