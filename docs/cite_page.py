"""The page on citing, from CITATION.cff."""

import re
from pathlib import Path
from typing import Any

import yaml

PAGE = """\
# Cite

`CITATION.cff` holds the reference, in the format that reference managers and code hosts read. As
BibTeX:

```bibtex
{entry}
```

A number of a study is that of a commit, a configuration and the checkpoints that went in.
`results/provenance.json` names all three: cite it by its `commit`, and keep the file with your
results. The same commit and configuration build the same bytes, but for what a clock measures.

Quantizers, bounds and formats are the work of others. The source of each stands in its section of
[codecs](codecs.md) and [bounds](bounds.md); cite these too.
"""


def cite_page(root: Path) -> str:
    """How to cite the checkout in that folder."""
    return PAGE.format(entry=bibtex(yaml.safe_load((root / "CITATION.cff").read_text())))


def bibtex(citation: dict[str, Any]) -> str:
    """A software entry of BibLaTeX; an author who is not a person is kept in one piece."""
    authors = [
        f"{{{author['name']}}}"
        if "name" in author
        else f"{author['family-names']}, {author['given-names']}"
        for author in citation["authors"]
    ]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{citation['title']}}}",
        "version": citation["version"],
        "license": citation["license"],
    }
    key = re.sub(r"\W+", "-", citation["title"].partition(":")[0].lower())
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@software{{{key},", *lines, "}"])
