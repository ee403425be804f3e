import pytest
from matplotlib.colors import to_rgb

from qatlas.plotting import (
    COLUMN_WIDTH,
    FAMILY_COLOURS,
    KIND_COLOURS,
    blank_figure,
    context_style,
    family_colour,
    family_style,
    readable,
    series_styles,
    shorten,
)


def test_series_of_a_family_share_its_hue_and_differ_in_shade_marker_or_dashes():
    names = [f"u{i}" for i in range(12)]
    styles = series_styles(dict.fromkeys(names, "uniform") | {"best": "lloyd_max"})
    assert styles["u0"]["color"] == to_rgb(FAMILY_COLOURS["uniform"])
    assert styles["best"]["color"] == to_rgb(FAMILY_COLOURS["lloyd_max"])
    looks = {(s["color"], s["marker"], str(s["linestyle"])) for s in styles.values()}
    assert len(looks) == 13
    assert len({s["color"] for s in styles.values()}) == 13


@pytest.mark.parametrize("family", ["uniform", "lloyd_max", "some_new_codec"])
def test_a_family_has_one_colour_in_all_figures(family):
    assert family_colour(family) == family_colour(family)
    alone = series_styles({"a": family})["a"]["color"]
    beside = series_styles({"b": "uniform" if family != "uniform" else "lloyd_max", "a": family})
    assert beside["a"]["color"] == alone == to_rgb(family_colour(family))


def test_colours_of_families_and_of_kinds_are_each_different():
    for colours in (FAMILY_COLOURS, KIND_COLOURS):
        assert len(set(colours.values())) == len(colours)


def test_context_is_paler_and_thinner_than_what_is_singled_out():
    style = context_style("uniform")
    assert sum(style["color"]) > sum(series_styles({"a": "uniform"})["a"]["color"])
    assert style["linewidth"] < family_style("uniform")["linewidth"]
    # Matplotlib leaves such labels out of legends.
    assert style["label"].startswith("_")


def test_every_family_has_a_marker_of_its_own():
    markers = [family_style(family)["marker"] for family in FAMILY_COLOURS]
    assert len(set(markers)) == len(markers)
    assert family_style("some_new_codec") == family_style("some_new_codec")


def test_a_blank_figure_says_why():
    (panel,) = blank_figure(COLUMN_WIDTH, "Nothing was measured.").axes
    assert [text.get_text() for text in panel.texts] == ["Nothing was measured."]


@pytest.mark.parametrize("longest", [10, 20, 24, 25, 80])
def test_a_shortened_name_keeps_both_ends(longest):
    name = "encoder.layer.0.attention"
    short = shorten(name, longest)
    assert len(short) <= longest
    if len(name) > longest:
        head, tail = short.split("…")
        assert head
        assert tail
        assert name.startswith(head)
        assert name.endswith(tail)
    else:
        assert short == name


def test_readable_names_have_spaces():
    assert readable("uniform_group32_mse") == "uniform group32 mse"
