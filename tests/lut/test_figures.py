"""The chapter's figures, drawn from the errors of small tables."""

import io
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pytest

from qatlas.lut import figures
from qatlas.lut.figures import FIGURES, figures_of
from qatlas.lut.summary import summarize
from tests.drawn_text import boxes, collisions, has_width_and_type_of_the_house, outside
from tests.lut.conftest import SETTINGS

MAP_FIGURES = ("maps", "error_maps", "multiplier_errors", "errors_vs_size")
every_figure = pytest.mark.parametrize("name", MAP_FIGURES)


def module_of(name):
    return import_module(f"{figures.__name__}.{name}")


@pytest.fixture(scope="module")
def drawn_once(tables):
    """A figure and the boxes of its texts, made once for all tests of the same figure."""

    @cache
    def draw(name):
        module = module_of(name)
        given = {kind.name: tables[kind.name] for kind in FIGURES[name]}
        figure = module.draw(module.select(given, SETTINGS))
        return figure, boxes(figure)

    return draw


def test_every_figure_has_a_module():
    assert set(FIGURES) <= {module.name for module in iter_modules(figures.__path__)}
    assert set(MAP_FIGURES) <= set(figures_of(SETTINGS))


@every_figure
def test_a_figure_is_one_column_wide_or_two_in_type_of_6_to_8_points(drawn_once, name):
    figure, found = drawn_once(name)
    assert has_width_and_type_of_the_house(figure, found)
    assert figure.get_figheight() <= 8


@every_figure
def test_all_text_lies_inside_the_figure_and_none_on_another(drawn_once, name):
    figure, found = drawn_once(name)
    assert outside(figure, found) == []
    assert collisions(found) == []


@every_figure
def test_a_figure_holds_no_image(drawn_once, name):
    written = io.BytesIO()
    drawn_once(name)[0].savefig(written, format="pdf")
    assert b"/Subtype /Image" not in written.getvalue()


@every_figure
def test_a_caption_says_what_was_found(tables, name):
    said = module_of(name).caption(summarize(tables, SETTINGS), SETTINGS)
    assert len(said) > 40
    assert "not measured" not in said


def test_a_study_without_multipliers_says_that_there_is_nothing_to_see(tables):
    module = module_of("multiplier_errors")
    cells = tables["map_cells"]
    drawn = module.select({"map_cells": cells[cells.kind == "encoding"]}, SETTINGS)
    assert drawn.empty
    assert module.draw(drawn).axes[0].texts


def test_a_figure_of_two_encodings_and_one_multiplier_is_drawn(tables):
    few = {
        name: rows[rows.table.isin(["signed_ext", "signed_log", "mitchell8"])]
        for name, rows in tables.items()
    }
    for name in MAP_FIGURES:
        module = module_of(name)
        figure = module.draw(module.select(few, SETTINGS))
        found = boxes(figure)
        assert found
        assert collisions(found) == []


def test_a_multiplier_has_one_marker_also_where_another_has_no_error(tables):
    module = module_of("errors_vs_size")
    drawn = module.select(tables, SETTINGS)
    exact = drawn.assign(nmed=drawn.nmed.where(drawn.table != "float8_e4m3", 0.0))
    figure = module.draw(exact)
    markers = {}
    for panel in figure.axes:
        for line in panel.get_lines():
            markers.setdefault(line.get_label(), set()).add(line.get_marker())
    assert {len(found) for found in markers.values()} == {1}
    points = ("float8 E4M3", "float8 E5M2", "logarithmic numbers", "Mitchell", "mine")
    assert len({next(iter(markers[name])) for name in points}) == len(points)
