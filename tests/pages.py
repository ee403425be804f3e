"""What the pages that people read are made of: README and docs/."""

import re
from dataclasses import dataclass

from tests.workflow.conftest import ROOT

FOLDER = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(FOLDER.rglob("*.md"))]
RUN_ON_A_STUDY = {FOLDER / "tutorial.md"}
"""Pages whose Python needs the results of a study."""

SNAKEMAKE = ".venv/bin/snakemake"


@dataclass(frozen=True)
class Command:
    """A line of a block of shell commands."""

    words: tuple[str, ...]

    @property
    def targets(self):
        """What a plain call of Snakemake names; none with an option, or of another program."""
        program, *words = self.words
        plain = program == SNAKEMAKE and not any(word.startswith("-") for word in words)
        return words if plain else []


def blocks(page, language):
    """Contents of the fenced blocks of a language that have no title."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def titled(page):
    """Files that a page holds in full: the title and the content of their blocks."""
    return re.findall(r'^```\w+ title="(.*?)"\n(.*?)^```', page.read_text(), re.M | re.S)


def commands():
    """Commands of all pages, each once, sorted."""
    lines = [
        line.partition("#")[0]
        for page in PAGES
        for block in blocks(page, "sh")
        for line in block.splitlines()
    ]
    return [Command(words) for words in sorted({tuple(line.split()) for line in lines}) if words]
