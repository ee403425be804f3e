"""Pages of Snakemake's report that show tables and texts, which it would only offer to download."""

import html
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from qatlas.atomic import replacing
from qatlas.summary import Summary, read_summary

_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 1em; }}
h1 {{ font-size: 1.3em; }}
table {{ border-collapse: collapse; }}
th {{ position: sticky; top: 0; background: #f3f4f6; text-align: left; }}
th, td {{ padding: 0.2em 0.7em; border-bottom: 1px solid #e5e7eb; vertical-align: top; }}
{style}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
_HOLDS: dict[bool | Literal["not_measured"], str] = {
    True: "yes",
    False: "no",
    "not_measured": "not measured",
}
_LANGUAGES = {".json": "json", ".yaml": "yaml"}


def page_of(path: str | Path) -> str:
    """A file as a page of HTML: a summary's claims, a table's rows, any other text as it is.

    Parameters
    ----------
    path
        ``summary.json`` of a chapter, a CSV, or a text.

    Raises
    ------
    AtlasError
        If a summary is damaged.
    """
    path = Path(path)
    if path.name == "summary.json":
        return claims_page(read_summary(path))
    title = path.stem.replace("_", " ")
    if path.suffix == ".csv":
        # As it is written, digit by digit.
        return table_page(title, pd.read_csv(path, dtype=str, keep_default_na=False))
    return text_page(title, path.read_text(), _LANGUAGES.get(path.suffix, "text"))


def claims_page(summary: Summary) -> str:
    """Every claim of a chapter, whether the data bear it out, and what it was judged by."""
    count = Counter(claim.holds for claim in summary.claims.values())
    rows = [
        {
            "claim": claim.text,
            "holds": _HOLDS[claim.holds],
            "value": "" if claim.value is None else f"{claim.value:.6g}",
            "threshold": f"{claim.threshold:.6g}",
            "name": name,
            "table": claim.origin,
        }
        for name, claim in sorted(summary.claims.items())
    ]
    title = (
        f"Claims of the chapter {summary.chapter.replace('_', ' ')}: {count[True]} hold, "
        f"{count[False]} do not, {count['not_measured']} were not measured"
    )
    return table_page(title, pd.DataFrame(rows), style="td:first-child { min-width: 26em; }")


def table_page(title: str, table: pd.DataFrame, style: str = "") -> str:
    """A table as a page of HTML, with further rules of CSS."""
    heads = table.rename(columns=lambda name: str(name).replace("_", " "))
    body = heads.to_html(index=False, border=0, justify="unset")
    return _TEMPLATE.format(title=html.escape(title), style=style, body=body)


def text_page(title: str, text: str, language: str) -> str:
    """A text as a page of HTML, coloured by its language."""
    formatter = HtmlFormatter()
    return _TEMPLATE.format(
        title=html.escape(title),
        style=formatter.get_style_defs(),
        body=highlight(text, get_lexer_by_name(language), formatter),
    )


def write_page(page: str, path: str | Path) -> None:
    """Write a page."""
    with replacing(path) as unfinished:
        unfinished.write_text(page)


def write_configuration(study: Mapping[str, Any], path: str | Path) -> None:
    """Write a merged configuration of JSON values as YAML, which Snakemake reads again."""
    with replacing(path) as unfinished:
        unfinished.write_text(yaml.safe_dump(dict(study), sort_keys=True))
