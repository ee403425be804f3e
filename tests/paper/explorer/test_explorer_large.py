from dataclasses import replace

import pandas as pd
import pytest

from qatlas.paper.explorer.page import page, write_page
from qatlas.paper.explorer.scopes import Block, Scopes
from qatlas.paper.explorer.views import VIEWS
from tests.paper.explorer.conftest import BITS, SERIES, Look

pytestmark = [pytest.mark.xdist_group("explorer"), pytest.mark.slow]

TENSORS, LAYERS, COPIES = 625, 25, 10
ROWS = TENSORS * COPIES * len(SERIES) * len(BITS)
PAGE = 50
"""Rows of the table that are shown at a time."""
ELEMENTS = 4000
"""Of the whole page: what a browser lays out at once."""


def repeated(dataset):
    """The rows of a few tensors under many other names, with the choices that lead to them."""
    rows, limits = dataset.rows[dataset.rows.tensor == "words"], dataset.limits.iloc[:54]
    many = pd.concat([rows.assign(series=rows.series + f"_{n}") for n in range(COPIES)])
    scopes = Scopes()
    mean = Block(many.assign(job=None), limits, TENSORS, finest=False)
    of_all = {"model": "bert", "kind": "", "layer": "", "tensor": ""}
    scopes.add(mean, [of_all, *(of_all | {"layer": str(layer)} for layer in range(LAYERS))])
    for number in range(TENSORS):
        name = {"layer": str(number % LAYERS), "tensor": f"layer.{number}.weight"}
        own = {"model": "bert", "kind": ""}
        choices = [own | name, own | name | {"layer": ""}]
        scopes.add(Block(many.assign(**name), limits, 1, finest=True), choices)
    found = dict(zip(("scopes", "rows", "limits"), scopes.tables(), strict=True))
    return replace(dataset, **found)


@pytest.fixture(scope="module")
def large(found, chromium, tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "index.html"
    write_page(page({"weights": repeated(found["weights"])}, VIEWS), path)
    look = Look(chromium.new_page(), path.as_uri())
    look.load()
    return look


def test_of_one_hundred_thousand_rows_only_those_in_sight_are_in_the_page(large):
    tab = large.tab
    layer = tab.locator("select[data-facet=layer]")
    acts = {
        "another layer": lambda: layer.select_option("12"),
        "all layers": lambda: layer.select_option(""),
        "every tensor": lambda: tab.locator("#finest").select_option("yes"),
        "sort": tab.get_by_role("columnheader", name="MSE / variance").get_by_role("button").click,
        "filter": lambda: tab.get_by_label("Filter").fill("trellis mse<0.1"),
    }
    for name, act in acts.items():
        large.done(act)
        assert 0 < tab.locator("tbody tr").count() <= PAGE, name
        assert tab.locator("*").count() < ELEMENTS, name
    assert tab.inner_text("#count").endswith(f"of {ROWS} rows")
    assert large.said == []
