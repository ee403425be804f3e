"""The page of claims: what summaries claim, by the patterns of their names.

It is made from the summaries of a finished study, since it is the data that claims are about. Names
of models, grids and the like give way to a word in capitals, so that a claim that is made of
several stands there once. A test makes it from the small study, which has every chapter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qatlas.config.study import Study
from qatlas.summary import Claim, Summary, read_summary

WRITTEN = "<!-- Made of the small study; tests/workflow/test_pages.py says how to renew it. -->\n"
INTRODUCTION = """\
A claim is a sentence that the tables of a study bear out or not. It stands in the summary of its
chapter, `results/CHAPTER/summary.json`, with the value that it was judged by, and holds, does not
hold, or is `not_measured` where the study lacks what it needs. A claim that does not hold is a
result like any other: it is printed as such.

A word in capitals stands for a name of the configuration or a number. Which claims a summary has
depends on the study. Sentences are those of the small study, `config/smoke.yaml`; where one counts
variants or names a table, another study's names its own.
"""
CHAPTERS = {
    "weights": "weights",
    "rate_distortion": "rate_distortion",
    "function": "function",
    "function/robustness": "robustness",
    "lut": "lut",
    "geometry": "geometry",
}
"""Folders of summaries under results, and the names they go by."""


@dataclass(frozen=True)
class Pattern:
    """Claims that differ only in what they are of."""

    name: str
    text: str
    threshold: float
    origin: str


def read_summaries(results: Path) -> dict[str, Summary]:
    """Summaries of a finished study by the names of their sections."""
    return {
        title: read_summary(results / folder / "summary.json") for folder, title in CHAPTERS.items()
    }


def claims_page(summaries: Mapping[str, Summary], study: Study) -> str:
    """The page: a section a summary, an entry a pattern."""
    lines = [WRITTEN, "# Claims\n", INTRODUCTION]
    for title, summary in summaries.items():
        lines.append(f"## {title}\n")
        lines += [
            f"- `{claim.name}`, from {table_link(claim.origin)}, threshold {claim.threshold:g}:\n"
            f"  {claim.text}"
            for claim in patterns(summary.claims, study)
        ]
        lines.append("")
    return "\n".join(lines)


def table_link(origin: str) -> str:
    """A table by its name, linked to what its columns mean."""
    name = Path(origin).stem
    return f"[{name}](tables.md#{name})"


def patterns(claims: Mapping[str, Claim], study: Study) -> Iterable[Pattern]:
    """Patterns of claims in the order of their names, each once."""
    found = {pattern_of(name, claim, study) for name, claim in claims.items()}
    return sorted(found, key=lambda pattern: (pattern.name, pattern.text))


def pattern_of(name: str, claim: Claim, study: Study) -> Pattern:
    """A claim with words in capitals for what it is of."""
    text = claim.text
    for word, of in named_in(name, study):
        name = re.sub(rf"(?<![^.]){re.escape(of)}(?![^.])", word, name)
        text = re.sub(rf"\b({re.escape(of)}|{re.escape(of.replace('_', ' '))})\b", word, text)
    for bits in re.findall(r"(\d+)bit\b", name):
        name = name.replace(f"{bits}bit", "BITSbit")
        text = re.sub(rf"\b{bits} bits", "BITS bits", text)
    return Pattern(name, text, claim.threshold, claim.origin)


def named_in(name: str, study: Study) -> Iterator[tuple[str, str]]:
    """What a claim is of, with the word that stands for it."""
    models = {*study.models, *(study.function.models if study.function else ())}
    parts = name.split(".")
    for part in parts:
        if part in models:
            yield "MODEL", part
    if parts[-1] == "measured":
        yield "SERIES", parts[0]
    elif re.fullmatch(r"\dd", parts[0]):
        yield "LAYERS", parts[1]
    elif parts[0] == "manifolds":
        yield "SHAPE", parts[1]
