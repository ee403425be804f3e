"""The chapter's figures, drawn from made-up measurements of the default study."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pytest

from qatlas.function import figures
from qatlas.function.figures import FIGURES
from qatlas.function.schema import TABLES
from qatlas.function.summary import summarize
from tests.drawn_text import boxes, collisions, has_width_and_type_of_the_house, outside
from tests.function.conftest import SETTINGS

every_figure = pytest.mark.parametrize("name", FIGURES)


@pytest.fixture(scope="module")
def summary(tables):
    return summarize(tables, seed=1)


def module_of(name):
    return import_module(f"{figures.__name__}.{name}")


def drawn_by(name, tables):
    module = module_of(name)
    given = {table: tables[table] for table in FIGURES[name]}
    return module.draw(module.select(given, SETTINGS))


@pytest.fixture(scope="module")
def drawn_once(tables):
    """A figure and the boxes of its texts, made once for all tests of the same figure."""

    @cache
    def draw(name):
        figure = drawn_by(name, tables)
        return figure, boxes(figure)

    return draw


def test_every_module_is_a_figure_and_every_figure_a_module():
    # The robustness graph has tables, a summary and a rule of its own.
    modules = {module.name for module in iter_modules(figures.__path__)}
    assert {*FIGURES, "robustness"} == modules
    assert {table for reads in FIGURES.values() for table in reads} <= {t.name for t in TABLES}


@every_figure
def test_all_text_lies_inside_the_figure_and_none_on_another(name, drawn_once):
    figure, drawn = drawn_once(name)
    assert outside(figure, drawn) == []
    assert collisions(drawn) == []


@every_figure
def test_a_figure_is_one_column_wide_or_two_in_type_of_6_to_8_points(name, drawn_once):
    figure, drawn = drawn_once(name)
    assert has_width_and_type_of_the_house(figure, drawn)


@every_figure
def test_a_caption_states_what_the_summary_holds(name, summary):
    said = module_of(name).caption(summary, SETTINGS)
    assert said.endswith((".", "!"))
    assert "not measured" not in said
    assert "None" not in said


@every_figure
def test_a_figure_of_one_model_is_drawn(name, tables):
    column = {"losses": "architecture"}
    models = {table: rows[column.get(table, "model")] for table, rows in tables.items()}
    few = {table: rows[models[table] == models[table].iloc[0]] for table, rows in tables.items()}
    figure = drawn_by(name, few)
    assert outside(figure, boxes(figure)) == []
