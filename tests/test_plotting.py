import os
import re
import subprocess
import sys
import zlib

import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from qatlas.plotting import (
    COLUMN_WIDTH,
    FAMILY_COLOURS,
    FULL_WIDTH,
    KIND_COLOURS,
    blank_figure,
    context_style,
    family_colour,
    family_style,
    new_figure,
    readable,
    save_figure,
    series_styles,
    shorten,
)

DRAWN = pd.DataFrame({"bits": [2.0, 3.0, 4.0], "mse": [0.1, 0.03, 0.009]})


def example():
    figure, (left, right) = new_figure(FULL_WIDTH, 2.0, 1, 2)
    styles = series_styles({"by_tensor": "uniform", "by_channel": "uniform", "best": "lloyd_max"})
    for style in styles.values():
        left.plot(DRAWN.bits, DRAWN.mse, **style)
    left.set(xlabel="bits µ", ylabel="mean squared error", title="…one", yscale="log")
    right.scatter(DRAWN.bits, DRAWN.mse)
    left.legend()
    return figure


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    save_figure(example(), DRAWN, "A caption.", folder / "example.pdf")
    return folder


def test_a_figure_is_saved_as_pdf_preview_data_and_caption(saved):
    assert sorted(path.name for path in saved.iterdir()) == [
        "example.csv",
        "example.pdf",
        "example.png",
        "example.rst",
    ]
    assert (saved / "example.rst").read_text() == "A caption.\n"
    pd.testing.assert_frame_equal(pd.read_csv(saved / "example.csv"), DRAWN)


def test_a_pdf_has_the_size_asked_for(saved):
    (box,) = re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", (saved / "example.pdf").read_bytes())
    assert [float(side) for side in box] == pytest.approx([FULL_WIDTH * 72, 2.0 * 72])


def test_fonts_are_embedded_as_type_42(saved):
    pdf = (saved / "example.pdf").read_bytes()
    assert re.findall(rb"/BaseFont /\S*DejaVuSans", pdf)
    assert set(re.findall(rb"/Subtype /(Type\d|TrueType|CIDFontType\d)", pdf)) <= {
        b"TrueType",
        b"Type0",
        b"CIDFontType2",
    }
    # The outlines themselves: TrueType fonts, which is what Type 42 wraps.
    assert len(re.findall(rb"/FontFile2 ", pdf)) >= 1


def test_text_is_text_and_nothing_is_a_bitmap(saved):
    pdf = (saved / "example.pdf").read_bytes()
    assert b"/Subtype /Image" not in pdf
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    pages = b"".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"\x78")
    # Two bytes a character; kerning cuts a line into strings: [ (mean squar) 13 (ed error) ] TJ
    lines = re.findall(rb"\nBT\n(.*?)\nET\n", pages, re.DOTALL)
    strings = [re.findall(rb"\((.*?)(?<!\\)\)", line, re.DOTALL) for line in lines]
    shown = {b"".join(line).decode("utf-16-be", errors="replace") for line in strings}
    assert {"mean squared error", "by channel"} <= shown


def test_two_processes_write_the_same_bytes(tmp_path):
    program = (
        "import sys; from pathlib import Path;"
        "from qatlas.plotting import save_figure, save_vectors;"
        "from tests.test_plotting import DRAWN, example; pdf = Path(sys.argv[1]);"
        "save_figure(example(), DRAWN, 'A caption.', pdf);"
        "save_vectors(example(), pdf.with_suffix('.svg'), pdf.with_suffix('.eps'))"
    )
    for hash_seed in "12":
        subprocess.run(
            [sys.executable, "-c", program, tmp_path / hash_seed / "example.pdf"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            check=True,
        )
    assert {path.suffix for path in (tmp_path / "1").iterdir()} >= {".pdf", ".png", ".svg", ".eps"}
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes(), path.name


def test_a_figure_that_cannot_be_saved_leaves_no_half_of_it(tmp_path):
    figure, (panel,) = new_figure(COLUMN_WIDTH, 2.0)
    panel.set_title(r"$\frac{1}{$")
    with pytest.raises(ValueError, match="frac"):
        save_figure(figure, DRAWN, "A caption.", tmp_path / "example.pdf")
    assert list(tmp_path.iterdir()) == []


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
