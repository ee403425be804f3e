"""The page: style, script, plots and data in one file."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import altair as alt
import vl_convert

from qatlas.atomic import replacing
from qatlas.paper.explorer.charts import DASHES, ENDS, SHAPES, chart
from qatlas.paper.explorer.columns import encode
from qatlas.paper.explorer.content import Dataset, View
from qatlas.paper.explorer.themes import THEMES, on_page, plot_config

_SOURCES = files("qatlas.paper.explorer") / "assets"
_MODULES = ("columns", "rows", "state", "words", "plot", "table", "controls", "point")
"""The page's ES modules; ``main`` runs them."""
_VEGA = "globalThis.vegaEmbed = vegaEmbed;"


def page(datasets: Mapping[str, Dataset], views: Sequence[View]) -> str:
    """The page as HTML that needs no other file and no network.

    Parameters
    ----------
    datasets
        Sets of rows by name.
    views
        Views, of which those whose set of rows is not there are left out.
    """
    shown = [view for view in views if view.dataset in datasets]
    source = (_SOURCES / "index.html").read_text()
    return Template(source).substitute(
        style=(_SOURCES / "style.css").read_text(),
        content=_in_script(json.dumps(_content(datasets, shown), separators=(",", ":"))),
        imports=json.dumps({"imports": {f"explorer/{name}": _address(name) for name in _MODULES}}),
        vega=_safe_script(vl_convert.javascript_bundle(_VEGA, vl_version=_vega_lite_version())),
        main=_safe_script((_SOURCES / "main.js").read_text()),
    )


def write_page(html: str, path: str | Path) -> None:
    """Write the page, whole or not at all."""
    with replacing(path) as unfinished:
        unfinished.write_text(html)


def _content(datasets: Mapping[str, Dataset], views: Sequence[View]) -> dict[str, Any]:
    return {
        "views": [
            asdict(view)
            | {"charts": [chart(view, q, datasets[view.dataset]) for q in view.quantities]}
            for view in views
        ],
        "datasets": {name: _dataset(dataset) for name, dataset in sorted(datasets.items())},
        "themes": {name: asdict(theme) for name, theme in THEMES.items()},
        "shapes": SHAPES,
        "dashes": DASHES,
        "ends": ENDS,
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    families = [family.colour for family in dataset.families]
    return {
        "facets": [asdict(facet) for facet in dataset.facets],
        "scopes": encode(dataset.scopes),
        "rows": encode(dataset.rows),
        "limits": encode(dataset.limits),
        "fields": [asdict(field) for field in dataset.fields],
        "families": [asdict(family) for family in dataset.families],
        "drawnLimits": [asdict(limit) for limit in dataset.drawn_limits],
        "jobs": dataset.jobs,
        "atLabel": dataset.at_label,
        "familiesLabel": dataset.families_label,
        "seriesLabel": dataset.series_label,
        "colours": {
            name: [on_page(colour, theme) for colour in families] for name, theme in THEMES.items()
        },
        "plotConfig": {name: plot_config(theme, families) for name, theme in THEMES.items()},
    }


def _in_script(text: str) -> str:
    """JSON as it may stand in a script element: no text of it can end the element."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _safe_script(source: str) -> str:
    """A script that may stand in a script element."""
    if "</script" in source.lower() or "<!--" in source:
        raise ValueError("a script of the page would end its own element")
    return source


def _address(name: str) -> str:
    """A module as an address that needs no file beside the page."""
    source = (_SOURCES / f"{name}.js").read_bytes()
    return f"data:text/javascript;base64,{b64encode(source).decode()}"


def _vega_lite_version() -> str:
    """The Vega-Lite that Altair checks plots against, as major and minor number."""
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
