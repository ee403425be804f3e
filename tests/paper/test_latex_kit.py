"""The kit as a whole: it compiles, twice to the same bytes, and shows what it was given."""

import re
import shutil

import pytest

from qatlas.paper.figures import PrintedFigure, figures_in_order
from qatlas.paper.latex.figures import figure_tex
from qatlas.paper.latex.kit import write_kit
from qatlas.paper.latex.tables import LONGEST_FLOAT, table_tex
from qatlas.paper.latex.values import key, values_tex
from qatlas.paper.tables.printed import Heading, Rendered
from qatlas.paper.values import gather
from qatlas.plotting import COLUMN_WIDTH, FULL_WIDTH, new_figure
from qatlas.summary import Claim, Summary, Value
from tests.paper.latex_of import article, compile_main, compiled, needs_latex, seen, without_space

HOSTILE = "we_ird%name#1&{x}^2~\\n"
FILE = "results/weights/summary.json"
BIBTEX = "@article{one, author={Someone}, title={{Bits} and 50\\% more}, year={1948}}\n"


def value(found, unit="bits per weight", **ends):
    return Value(value=found, unit=unit, origin="weights/tables/statistics.parquet", **ends)


def claim(text, holds, found=0.5):
    return Claim(text=text, holds=holds, value=found, threshold=0.25, origin="a")


SUMMARY = Summary(
    chapter="weights",
    values={
        "minilm.nf4.4.25bit.rate": value(4.127, low=4.1, high=4.16),
        "minilm.weights": value(22_713_216, "weights"),
        "tiny": value(2.5e-7, "1"),
        "negative": value(-0.125, "dB"),
        "share": value(12.5, "%"),
        "best": value("entropy_coded", "series"),
        "axes": value((0.5, None, -2.0), "output"),
        "layers": value(((1.0, 2.0), (3.0, None)), "output"),
        "undefined": value(None),
        HOSTILE: value(1.5, "a_b^2"),
    },
    claims={
        "it.holds": claim("50 % of a_b hold.", True),
        "it.fails": claim("It fails.", False),
        "nobody.knows": claim("Nobody knows.", "not_measured", None),
    },
)
VALUES = gather({FILE: SUMMARY}, {FILE: "weights_summary"})
COLUMNS = (
    Heading("model", "", "text"),
    Heading("|w|, largest", "σ", "number"),
    Heading("gap", "%", "number"),
)


def table(rows, name="gaps"):
    return Rendered(name, "weights", "Gaps of 50 % & more, E[x_1].", "text", COLUMNS, tuple(rows))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A narrow and a wide figure, with captions that LaTeX could act on."""
    folder = tmp_path_factory.mktemp("results") / "weights/figures"
    folder.mkdir(parents=True)
    for name, width in (("narrow", COLUMN_WIDTH), ("wide", FULL_WIDTH)):
        figure, (panel,) = new_figure(width, 2.0)
        panel.plot([0, 1], [1, 0])
        figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
        (folder / f"{name}.rst").write_text(f"The {name} one: 50 % of a_b at x^T, ||x||_1 < 3.\n")
    return figures_in_order([folder / "narrow.pdf", folder / "wide.pdf"])


@pytest.fixture
def kit(drawn, tmp_path):
    """Writes a kit with all of these and hands out its folder."""

    def written(name):
        (tmp_path / "references.bib").write_text(BIBTEX)
        short = [["a_1", "0.5", "-12.25"], [HOSTILE, "2.38e11", None], ["c", "infinite", "3e-7"]]
        tables = [
            table(map(tuple, short)),
            table([("m", "1.5", str(n)) for n in range(LONGEST_FLOAT + 60)], "long"),
            table([], "empty"),
        ]
        write_kit(drawn, tables, VALUES, tmp_path / "references.bib", tmp_path / name)
        return tmp_path / name

    return written


def test_a_figure_is_as_wide_as_it_was_drawn(drawn):
    narrow, wide = map(figure_tex, drawn)
    assert r"\begin{figure}" in narrow
    assert r"\begin{figure*}" in wide
    assert r"\label{fig:weights-narrow}" in narrow


def test_figures_of_two_chapters_may_have_one_name():
    one = PrintedFigure("growth", "lut", "a.pdf", "", FULL_WIDTH, 2)
    other = PrintedFigure("growth", "geometry", "b.pdf", "", FULL_WIDTH, 2)
    labels = [re.findall(r"figures/\S+\.pdf|\\label\S+", figure_tex(f)) for f in (one, other)]
    assert not {*labels[0]} & {*labels[1]}


def test_numbers_have_room_for_sign_digits_and_power_of_ten():
    rows = [("a", "0.5", "-12.25"), ("b", "2.38e11", None), ("c", "infinite", "3e-7")]
    written = table_tex(table(rows))
    assert r"{lS[table-format=1.2e2]S[table-format=-2.2e-1]}" in written
    assert r"b & 2.38e11 & {--} \\" in written
    assert r"c & {infinite} & 3e-7 \\" in written


def test_long_tables_go_over_pages_and_short_ones_do_not():
    rows = [("a", "1", "2")] * LONGEST_FLOAT
    assert "longtable" not in table_tex(table(rows))
    assert r"\begin{longtable}" in table_tex(table([*rows, rows[0]]))


def test_the_kit_is_the_same_bytes_each_time_and_leaves_tables_without_rows_out(kit):
    one, other = (
        {path.relative_to(f): path.read_bytes() for path in f.rglob("*") if path.is_file()}
        for f in (kit("one"), kit("other"))
    )
    assert one == other
    assert sorted(map(str, one)) == [
        "figures/weights-narrow.pdf",
        "figures/weights-narrow.tex",
        "figures/weights-wide.pdf",
        "figures/weights-wide.tex",
        "main.tex",
        "references.bib",
        "tables/gaps.tex",
        "tables/long.tex",
        "values.tex",
    ]


@needs_latex
def test_the_article_compiles_twice_to_the_same_bytes_without_an_overfull_line(kit):
    one, other = compiled(kit("one")), compiled(kit("a longer name"))
    assert one.read_bytes() == other.read_bytes()
    log = one.with_suffix(".log").read_text(errors="replace")
    assert not re.findall(r"Overfull.*|LaTeX Warning.*(?:undefined|too large).*", log)
    found = seen(one).replace("-", "")  # Words may be broken at the end of a line.
    shown = [
        r"Forexample,\atlas{weights.minilm.nf4.4.25bit.rate}is4.127bitsperweight,and\atlasinterval"
        "has4.100to4.160.",
        "Thenarrowone:50%ofa_batx^T,||x||_1<3.",
        "50%ofa_bhold.Holds:0.500(threshold0.25).",
        "Itfails.Fails:0.500",
        "Nobodyknows.Notmeasured:--(threshold0.25).".replace("--", "–"),
        "Someone.Bitsand50%more",
        without_space(HOSTILE),
    ]
    for text in shown:
        assert text in found, text


@needs_latex
def test_values_units_and_intervals_are_asked_for_by_name(tmp_path):
    (tmp_path / "values.tex").write_text(values_tex(VALUES))
    asked = {
        r"\atlas{weights.minilm.nf4.4.25bit.rate}": "4.127bitsperweight",
        r"\atlasvalue{weights.minilm.nf4.4.25bit.rate}": "4.127",
        r"\atlasunit{weights.minilm.nf4.4.25bit.rate}": "bitsperweight",
        r"\atlasinterval{weights.minilm.nf4.4.25bit.rate}": "4.100to4.160",
        r"\atlaslow{weights.minilm.nf4.4.25bit.rate}": "4.100",
        r"\atlashigh{weights.minilm.nf4.4.25bit.rate}": "4.160",
        r"\atlas{weights.minilm.weights}": "22713216weights",
        r"\atlas{weights.tiny}": "2.50×10−7",
        r"\atlas{weights.negative}": "−0.125dB",
        r"\atlas{weights.share}": "12.5%",
        r"\atlas{weights.best}": "entropy_codedseries",
        r"\atlasvalue{weights.best}": "entropy_coded",
        r"\atlasvalue{weights.axes}": "0.500,notmeasured,−2.00",
        r"\atlasvalue{weights.layers}": "(1.00,2.00),(3.00,notmeasured)",
        rf"\atlas{{{key(f'weights.{HOSTILE}')}}}": "1.50a_b^2",
        r"\atlasclaim{weights.it.holds}": "50%ofa_bhold.",
        r"\atlasifholds{weights.it.holds}{yes}{no}{open}": "yes",
        r"\atlasifholds{weights.it.fails}{yes}{no}{open}": "no",
        r"\atlasifholds{weights.nobody.knows}{yes}{no}{open}": "open",
        r"\atlasthreshold{weights.it.fails}": "0.25",
    }
    lines = [f"[{number}:{macro}]\\par" for number, macro in enumerate(asked)]
    # Also in what LaTeX writes to files and reads again.
    lines += [r"\tableofcontents\section{A rate of \atlas{weights.minilm.nf4.4.25bit.rate}}"]
    body = "\n".join(lines)
    (tmp_path / "main.tex").write_text(
        article(body, "\\sisetup{group-digits=none}\n\\input{values}\n")
    )
    found = seen(compiled(tmp_path))
    for number, expected in enumerate(asked.values()):
        assert f"[{number}:{expected}]" in found
    assert found.count("Arateof4.127bitsperweight") == 2


@needs_latex
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (r"\atlas{weights.minilm.nf5}", "There is no value weights.minilm.nf5"),
        (r"\atlasclaim{weights.it.hold}", "There is no claim weights.it.hold"),
        (r"\atlasifholds{weights.x}{a}{b}{c}", "There is no claim weights.x"),
        (r"\atlas{weights.undefined}", "The value weights.undefined was not measured"),
        (r"\atlasinterval{weights.tiny}", "asked for its interval, but has none"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_that_says_so(asked, said, tmp_path):
    (tmp_path / "values.tex").write_text(values_tex(VALUES))
    (tmp_path / "main.tex").write_text(article(asked, "\\input{values}\n"))
    run = compile_main(tmp_path)
    assert run.returncode != 0
    assert said in run.stdout


@needs_latex
def test_an_article_elsewhere_takes_single_pieces_of_the_kit(kit, tmp_path):
    shutil.move(kit("made"), tmp_path / "article/atlas")
    preamble = (
        "\\usepackage{graphicx,booktabs,longtable,adjustbox}\n"
        "\\newcommand{\\atlasfolder}{atlas}\n\\input{atlas/values}\n"
    )
    body = (
        "See \\ref{fig:weights-narrow}, \\ref{tab:gaps}.\n"
        "\\input{atlas/figures/weights-narrow}\\input{atlas/tables/gaps}"
    )
    (tmp_path / "article/main.tex").write_text(article(body, preamble))
    assert "See1,1." in seen(compiled(tmp_path / "article"))
