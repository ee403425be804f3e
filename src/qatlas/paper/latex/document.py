"""The article that shows all of the kit, and how one's own takes from it."""

from collections.abc import Iterable, Sequence

from qatlas.paper.figures import PrintedFigure
from qatlas.paper.latex.escape import escape_name
from qatlas.paper.latex.figures import figure_name
from qatlas.paper.latex.tables import is_long
from qatlas.paper.latex.values import key
from qatlas.paper.tables.printed import Rendered
from qatlas.paper.values import Values

_PREAMBLE = r"""% All figures, tables and claims of the study; compile with: latexmk -pdf main
% An article of one's own takes from here the packages, \input{values}, and what it shows:
%   \input{figures/CHAPTER-NAME}  \input{tables/NAME}  \atlas{NAME}, see values.tex
% Where it lies elsewhere: \newcommand{\atlasfolder}{path/to/this/folder} before \input{values}.
\documentclass[10pt,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage{mathptmx}
\usepackage[scaled=0.9]{helvet}
\usepackage[letterpaper,textwidth=6.75in,columnsep=0.25in,textheight=9.25in]{geometry}
\usepackage{microtype}
\usepackage{graphicx}
\usepackage{booktabs,longtable,adjustbox}
\usepackage[tableposition=top]{caption}
\usepackage{siunitx}
\usepackage[hidelinks]{hyperref}
\pdftrailerid{} % two builds give the same bytes
\sisetup{group-digits=none}
\raggedbottom
\setcounter{topnumber}{4}
\setcounter{dbltopnumber}{4}
\setcounter{totalnumber}{6}
\renewcommand{\topfraction}{0.9}
\renewcommand{\dbltopfraction}{0.9}
\renewcommand{\textfraction}{0.05}
\input{values}
\begin{document}
\title{Quantization Atlas: figures, tables and claims}
\author{}
\date{}
\maketitle
"""
_FLOATS_BEFORE_THEY_ARE_SET = 12
_TITLES = {
    "weights": "What is being quantized?",
    "rate_distortion": "How many bits does a given error cost?",
    "function": "What does the error do to the output?",
    "lut": "What if the multiplier is a lookup table?",
    "geometry": "What shape is the error?",
}


def main_tex(figures: Sequence[PrintedFigure], tables: Sequence[Rendered], values: Values) -> str:
    """Chapter after chapter its claims, figures and tables; long tables and references at the end.

    Parameters
    ----------
    figures, tables
        In the order in which they stand.
    values
        Of all chapters.
    """
    long = [table for table in tables if is_long(table)]
    lines = [_PREAMBLE.rstrip()]
    for chapter, title in _TITLES.items():
        if chapter not in {origin.chapter for origin in values.summaries.values()}:
            continue
        lines += [rf"\section{{{title}}}"]
        lines += [*_example(chapter, values), *_claims(chapter, values)]
        lines += _in_batches(
            [
                *(f"figures/{figure_name(f)}" for f in figures if f.chapter == chapter),
                *(f"tables/{t.name}" for t in tables if t.chapter == chapter and t not in long),
            ]
        )
    lines += [r"\nocite{*}", r"\bibliographystyle{plain}", r"\bibliography{references}"]
    if long:
        lines += [r"\onecolumn", r"\appendix", r"\section{Long tables}"]
        lines += [rf"\input{{tables/{table.name}}}" for table in long]
    return "\n".join([*lines, r"\end{document}", ""])


def _example(chapter: str, values: Values) -> list[str]:
    """How the chapter's first value that has an interval is asked for, and what comes of it."""
    for name, value in sorted(values.values.items()):
        if name.startswith(f"{chapter}.") and value.low is not None:
            asked = rf"\texttt{{\textbackslash atlas\{{{escape_name(name)}\}}}}"
            return [
                rf"{{\raggedright For example, {asked} is \atlas{{{key(name)}}}, and "
                rf"\texttt{{\textbackslash atlasinterval}} has \atlasinterval{{{key(name)}}}.\par}}"
            ]
    return []


def _claims(chapter: str, values: Values) -> list[str]:
    names = sorted(name for name in values.claims if name.startswith(f"{chapter}."))
    if not names:
        return []
    items = [
        rf"\item \atlasclaim{{{key(name)}}} "
        rf"\atlasifholds{{{key(name)}}}{{Holds}}{{Fails}}{{Not measured}}: "
        rf"\atlasclaimvalue{{{key(name)}}} (threshold \atlasthreshold{{{key(name)}}})."
        for name in names
    ]
    return [r"\begin{itemize}\sloppy", *items, r"\end{itemize}"]


def _in_batches(files: Sequence[str]) -> Iterable[str]:
    """Floats, set now and then, since LaTeX does not hold many that have no place yet."""
    for number, file in enumerate(files, start=1):
        yield rf"\input{{{file}}}"
        if number % _FLOATS_BEFORE_THEY_ARE_SET == 0 or number == len(files):
            yield r"\clearpage"
