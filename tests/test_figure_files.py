"""Files of figures: what they hold, that they are the same each time, and how they look."""

import os
import re
import shutil
import subprocess
import sys
import zlib

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.image import imread

from qatlas.errors import AtlasError
from qatlas.figure_files import FORMAT_SUFFIXES, figure_paths, make_opaque, save_figure
from qatlas.plotting import COLUMN_WIDTH, FULL_WIDTH, new_figure, series_styles

DRAWN = pd.DataFrame({"bits": [2.0, 3.0, 4.0], "mse": [0.1, 0.03, 0.009]})


ORANGE = mpl.colors.to_rgb("#D55E00")


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
    save_figure(example(), DRAWN, "A caption.", folder / "example.pdf", ())
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
        "from qatlas.figure_files import FORMAT_SUFFIXES, save_figure;"
        "from tests.test_figure_files import DRAWN, translucent; pdf = Path(sys.argv[1]);"
        "save_figure(translucent(), DRAWN, 'A caption.', pdf, FORMAT_SUFFIXES)"
    )
    for hash_seed in "12":
        subprocess.run(
            [sys.executable, "-c", program, tmp_path / hash_seed / "example.pdf"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            check=True,
        )
    assert len(list((tmp_path / "1").iterdir())) == 4 + len(FORMAT_SUFFIXES)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes(), path.name


def test_a_figure_that_cannot_be_saved_leaves_no_half_of_it(tmp_path):
    figure, (panel,) = new_figure(COLUMN_WIDTH, 2.0)
    panel.set_title(r"$\frac{1}{$")
    with pytest.raises(ValueError, match="frac"):
        save_figure(figure, DRAWN, "A caption.", tmp_path / "example.pdf", ())
    assert list(tmp_path.iterdir()) == []


def translucent():
    """A figure with everything that can let others through, each alone on the page."""
    figure, panels = new_figure(FULL_WIDTH, 3.0, 2, 3)
    for panel in panels:
        panel.grid(visible=False)
    bars, line, band, faces, words, outline = panels
    bars.barh([0, 1, 2], DRAWN.bits, color="#D55E00", alpha=0.5)
    line.plot(DRAWN.bits, DRAWN.mse, "o", color="#0072B2", alpha=0.4, markeredgewidth=0, ms=20)
    band.fill_between(DRAWN.bits, DRAWN.mse, 0.2, color="#009E73", alpha=0.25, linewidth=0)
    faces.fill([0, 1, 1], [0, 0, 1], facecolor=(0.8, 0.4, 0.1, 0.3), edgecolor="black")
    words.text(0.1, 0.4, "SIM", fontsize=40, fontweight="bold", color="0.35", alpha=0.2)
    box = {"facecolor": "#CC79A7", "alpha": 0.3, "linewidth": 0}
    words.annotate("box", (0.9, 0.9), (0.5, 0.05), bbox=box)
    outline.fill([0, 1, 1], [0, 0, 1], facecolor="none", edgecolor="#332288", alpha=0.5, lw=8)
    return figure


def rendered(path, folder):
    """Pixels (height, width, 3) from 0 to 1 of a PDF, by Poppler, or an EPS, by Ghostscript."""
    png = folder / f"{path.name}.png"
    if path.suffix == ".pdf":
        tool = ["pdftoppm", "-singlefile", "-png", "-r", "150", path, png.with_suffix("")]
    else:
        safe = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", "-sDEVICE=png16m"]
        smooth = ["-dTextAlphaBits=4", "-dGraphicsAlphaBits=4", "-r150"]
        tool = ["gs", *safe, *smooth, f"-sOutputFile={png}", path]
    subprocess.run(tool, check=True)
    return imread(png)[..., :3]


def areas(pixels):
    """Medians of squares of eight pixels: what is large, without thin lines and smooth edges."""
    height, width = (8 * (side // 8) for side in pixels.shape[:2])
    squares = pixels[:height, :width].reshape(height // 8, 8, width // 8, 8, 3)
    return np.median(squares, axis=(1, 3))


def differing(one, other):
    """Share of squares whose colours differ to the eye."""
    height, width = np.minimum(one.shape, other.shape)[:2]
    found = np.abs(areas(one[:height, :width]) - areas(other[:height, :width]))
    return (found > 0.02).any(axis=2).mean()


needs_renderers = pytest.mark.skipif(
    not (shutil.which("gs") and shutil.which("pdftoppm")),
    reason="Ghostscript and Poppler are not installed, so no EPS was held against its PDF",
)


@needs_renderers
def test_an_eps_looks_like_its_pdf_though_it_has_no_transparency(tmp_path):
    save_figure(translucent(), DRAWN, "A caption.", tmp_path / "example.pdf", ["eps"])
    eps, pdf = (rendered(tmp_path / f"example{suffix}", tmp_path) for suffix in (".eps", ".pdf"))
    assert np.abs(np.subtract(eps.shape, pdf.shape)).max() <= 2
    assert differing(eps, pdf) < 0.02
    # The test sees the difference that it is about: what Matplotlib writes unasked.
    translucent().savefig(tmp_path / "raw.eps")
    assert differing(rendered(tmp_path / "raw.eps", tmp_path), pdf) > 0.1


def test_what_was_not_to_be_seen_stays_so_and_opaque_colours_stay_as_they_are():
    figure, (panel,) = new_figure(COLUMN_WIDTH, 2.0)
    (hidden,) = panel.fill([0, 1, 1], [0, 0, 1], facecolor="none", edgecolor="#D55E00", alpha=0.5)
    (solid,) = panel.plot([0, 1], [0, 1], color="#0072B2", marker="o", markerfacecolor="none")
    make_opaque(figure)
    assert hidden.get_facecolor()[3] == 0
    assert hidden.get_edgecolor() == pytest.approx((*(1 - 0.5 * (1 - c) for c in ORANGE), 1))
    assert (solid.get_color(), solid.get_markerfacecolor()) == ("#0072B2", "none")


def test_formats_are_written_besides_and_the_print_png_is_finer_than_the_preview(tmp_path):
    save_figure(example(), DRAWN, "A caption.", tmp_path / "example.pdf", ["png", "svg"])
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"example{suffix}" for suffix in (".pdf", ".png", ".csv", ".rst")),
        "example.svg",
        "example.300dpi.png",
    }
    sides = [imread(tmp_path / f"example{s}").shape[1] for s in (".png", ".300dpi.png")]
    assert sides == [200 * FULL_WIDTH, 300 * FULL_WIDTH]
    assert b"<svg" in (tmp_path / "example.svg").read_bytes()


def test_a_format_that_is_no_longer_asked_for_leaves_no_older_picture_behind(tmp_path):
    save_figure(example(), DRAWN, "A caption.", tmp_path / "example.pdf", FORMAT_SUFFIXES)
    save_figure(example(), DRAWN, "A caption.", tmp_path / "example.pdf", ["eps"])
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"example{suffix}" for suffix in (".pdf", ".png", ".csv", ".rst", ".eps"))
    }


def test_paths_are_those_that_are_written(tmp_path):
    save_figure(example(), DRAWN, "A caption.", tmp_path / "a.b.pdf", FORMAT_SUFFIXES)
    stated = figure_paths(str(tmp_path / "a.b"), FORMAT_SUFFIXES).values()
    assert sorted(stated) == sorted(str(path) for path in tmp_path.iterdir())


def test_a_missing_font_is_named_with_what_to_do_and_nothing_is_written(tmp_path, monkeypatch):
    manager = font_manager._load_fontmanager(try_read_cache=False)
    manager.ttflist = [font for font in manager.ttflist if font.name != "DejaVu Sans"]
    monkeypatch.setattr(font_manager, "_load_fontmanager", lambda **_: manager)
    monkeypatch.setattr(font_manager, "fontManager", manager)
    monkeypatch.setattr("qatlas.plotting.findfont", manager.findfont)
    with pytest.raises(
        AtlasError, match=r"font 'DejaVu Sans'.*delete the list.*install Matplotlib"
    ):
        save_figure(example(), DRAWN, "A caption.", tmp_path / "example.pdf", ())
    assert list(tmp_path.iterdir()) == []
