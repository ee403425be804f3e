"""Every value and claim as a macro of LaTeX, asked for by its name."""

from qatlas.paper.latex.escape import escape, escape_name
from qatlas.paper.values import NOT_MEASURED, PrintedClaim, PrintedValue, Values

# Names are compared letter by letter, so that dots, digits and underscores stand as they are.
_MACROS = r"""% Values and claims by their names. \input{values} stands in the preamble, after
% \usepackage[T1]{fontenc} and \usepackage{siunitx}.
%   \atlas{NAME}           digits and unit           \atlasvalue{NAME}     the digits alone
%   \atlasinterval{NAME}   from low to high          \atlasunit{NAME}      the unit alone
%   \atlaslow{NAME} \atlashigh{NAME}                 its ends
%   \atlasclaim{NAME}      the sentence of a claim
%   \atlasclaimvalue{NAME} \atlasthreshold{NAME}     what it was judged by
%   \atlasifholds{NAME}{it holds}{it does not}{it was not measured}
\makeatletter
\providecommand*{\atlasfolder}{.}
\newcommand*{\atlas@define}[3]{\@namedef{atlas@#1@\detokenize{#2}}{#3}}
\newcommand*{\atlas@value}[5]{\atlas@define{value}{#1}{{#2}{#3}{#4}{#5}}}
\newcommand*{\atlas@claim}[5]{\atlas@define{claim}{#1}{{#2}{#3}{#4}{#5}}}
\newcommand*{\atlas@unmeasured}[2]{\atlas@define{unmeasured}{#1}{#2}}
\newcommand*{\atlas@use}[3]{%
  \ifcsname atlas@#1@\detokenize{#3}\endcsname
    \expandafter\expandafter\expandafter#2\csname atlas@#1@\detokenize{#3}\endcsname
  \else
    \ifcsname atlas@unmeasured@\detokenize{#3}\endcsname
      \PackageError{atlas}{The value \detokenize{#3} was not measured}%
        {The study has nothing to measure it on; rule
          \csname atlas@unmeasured@\detokenize{#3}\endcsname\space makes its summary.}%
    \else
      \PackageError{atlas}{There is no #1 \detokenize{#3}}%
        {values.tex has all names; they begin with the chapter.}%
    \fi
    \textbf{??}%
  \fi}
\newcommand{\atlas@first}[4]{#1}
\newcommand{\atlas@second}[4]{#2}
\newcommand{\atlas@third}[4]{\atlas@known{#3}{#3}}
\newcommand{\atlas@fourth}[4]{\atlas@known{#4}{#4}}
\newcommand{\atlas@whole}[4]{#1\ifx\relax#2\relax\else~#2\fi}
\newcommand{\atlas@ends}[4]{\atlas@known{#3}{#3} to #4}
\newcommand{\atlas@known}[2]{\ifx\relax#1\relax
  \PackageError{atlas}{A value was asked for its interval, but has none}{}\fi#2}
\newcommand{\atlas@branch}[4]{\def\atlas@state{#2}}
\newcommand{\atlas@if@holds}[3]{#1}
\newcommand{\atlas@if@fails}[3]{#2}
\newcommand{\atlas@if@unmeasured}[3]{#3}
\newcommand{\atlas@if@missing}[3]{}
\DeclareRobustCommand*{\atlas}[1]{\atlas@use{value}\atlas@whole{#1}}
\DeclareRobustCommand*{\atlasvalue}[1]{\atlas@use{value}\atlas@first{#1}}
\DeclareRobustCommand*{\atlasunit}[1]{\atlas@use{value}\atlas@second{#1}}
\DeclareRobustCommand*{\atlaslow}[1]{\atlas@use{value}\atlas@third{#1}}
\DeclareRobustCommand*{\atlashigh}[1]{\atlas@use{value}\atlas@fourth{#1}}
\DeclareRobustCommand*{\atlasinterval}[1]{\atlas@use{value}\atlas@ends{#1}}
\DeclareRobustCommand*{\atlasclaim}[1]{\atlas@use{claim}\atlas@first{#1}}
\DeclareRobustCommand*{\atlasclaimvalue}[1]{\atlas@use{claim}\atlas@third{#1}}
\DeclareRobustCommand*{\atlasthreshold}[1]{\atlas@use{claim}\atlas@fourth{#1}}
\DeclareRobustCommand{\atlasifholds}[4]{%
  \def\atlas@state{missing}\atlas@use{claim}\atlas@branch{#1}%
  \csname atlas@if@\atlas@state\endcsname{#2}{#3}{#4}}
"""

_STATES = {True: "holds", False: "fails", "not_measured": "unmeasured"}
_NOTHING = "--"


def values_tex(values: Values) -> str:
    """The file that defines all macros; names in alphabetical order."""
    rules = {file: origin.rule for file, origin in values.summaries.items()}
    lines = [
        _value_line(name, value, rules[value.summary])
        for name, value in sorted(values.values.items())
    ]
    lines += [_claim_line(name, claim) for name, claim in sorted(values.claims.items())]
    return "\n".join([_MACROS.rstrip(), *lines, r"\makeatother", ""])


def key(name: str) -> str:
    """A name as the macros take it: as in text, but with underscores as they are."""
    return escape(name).replace(r"\_", "_")


def number(digits: str) -> str:
    """Digits such as ``2.38e11`` as siunitx writes them."""
    return rf"\num{{{digits}}}"


def _value_line(name: str, value: PrintedValue, rule: str) -> str:
    if value.kind == "not_measured":
        return rf"\atlas@unmeasured{{{key(name)}}}{{{escape(rule)}}}"
    ends = [number(end) if end is not None else "" for end in (value.low, value.high)]
    parts = [key(name), _written(value), escape(value.unit), *ends]
    return r"\atlas@value" + "".join(f"{{{part}}}" for part in parts)


def _claim_line(name: str, claim: PrintedClaim) -> str:
    judged = _NOTHING if claim.value is None else number(claim.value)
    parts = [key(name), escape(claim.text), _STATES[claim.holds], judged, number(claim.threshold)]
    return r"\atlas@claim" + "".join(f"{{{part}}}" for part in parts)


def _written(value: PrintedValue) -> str:
    if value.kind == "word":
        return escape_name(str(value.written))
    if isinstance(value.written, str):
        return number(value.written)
    return ", ".join(map(_part, value.written or ()))


def _part(part: str | tuple[str | None, ...] | None) -> str:
    if isinstance(part, tuple):
        return f"({', '.join(map(_part, part))})"
    return NOT_MEASURED if part is None else number(part)
