"""The chapter's figures, drawn from the default study's tables."""

from functools import cache
from importlib import import_module
from io import BytesIO
from pkgutil import iter_modules

import pytest

from qatlas.geometry import figures
from qatlas.geometry.figures import FIGURES
from qatlas.geometry.schema import TABLES
from qatlas.geometry.summary import summarize
from tests.drawn_text import boxes, collisions, has_width_and_type_of_the_house, outside
from tests.geometry.conftest import SETTINGS, measure

every_figure = pytest.mark.parametrize("name", FIGURES)


def module_of(name):
    return import_module(f"{figures.__name__}.{name}")


def drawn_by(name, tables):
    module = module_of(name)
    return module.draw(module.select({table: tables[table] for table in FIGURES[name]}))


@pytest.fixture(scope="module")
def drawn_once(tables):
    """A figure and the boxes of its texts, made once for all tests of the same figure."""

    @cache
    def draw(name):
        figure = drawn_by(name, tables)
        return figure, boxes(figure)

    return draw


def test_every_module_is_a_figure_and_every_figure_a_module():
    assert set(FIGURES) == {module.name for module in iter_modules(figures.__path__)}
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
def test_a_figure_is_lines_and_areas_and_no_image(name, drawn_once):
    pdf = BytesIO()
    drawn_once(name)[0].savefig(pdf, format="pdf")
    assert b"/Subtype /Image" not in pdf.getvalue()


@every_figure
def test_a_caption_states_what_the_summary_holds(name, tables):
    said = module_of(name).caption(summarize(tables))
    assert said.endswith(".")
    assert "not measured" not in said
    assert "None" not in said


@pytest.fixture(scope="module")
def tables_of_two_layers(tmp_path_factory):
    plane, space = SETTINGS.plane, SETTINGS.space
    fewer = SETTINGS.model_copy(
        update={
            "plane": plane.model_copy(
                update={
                    "uniform_diagonal": plane.uniform_diagonal[:2],
                    "nonuniform_diagonal": plane.nonuniform_diagonal[:2],
                    "full": plane.full[:2],
                }
            ),
            "space": space.model_copy(
                update={
                    "uniform": space.uniform[:2],
                    "nonuniform": space.nonuniform[:2],
                    "full": space.full[:2],
                }
            ),
            "fake_quantization": SETTINGS.fake_quantization.model_copy(
                update={"bits": (4,), "points": 16}
            ),
        }
    )
    return measure(fewer, tmp_path_factory.mktemp("two-layers"))


@every_figure
def test_a_figure_of_two_layers_is_drawn_and_captioned(name, tables_of_two_layers):
    figure = drawn_by(name, tables_of_two_layers)
    assert outside(figure, boxes(figure)) == []
    assert "not measured" not in module_of(name).caption(summarize(tables_of_two_layers))
