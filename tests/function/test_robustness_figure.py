"""The figure of perplexity against precision."""

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from qatlas.errors import AtlasError
from qatlas.figure_files import save_figure
from qatlas.function.figures import robustness
from qatlas.function.robustness.interchange import read_interchange, write_interchange
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.function.robustness.simulation import simulated
from qatlas.function.robustness.summary import robustness_summary
from qatlas.plotting import FULL_WIDTH
from tests.drawn_text import boxes, collisions, outside, texts
from tests.function.robustness_rows import realistic, rows_of, seeds_of

SETTINGS = RobustnessSettings()
WATERMARK = "SIMULATED"


def many_models():
    rows = realistic()
    llama = rows[rows.model == "llama"]
    more = [
        llama.assign(model=name, perplexity=llama.perplexity * factor)
        for name, factor in (("a_rather_long_model_name", 1.02), ("opt", 0.99))
    ]
    return pd.concat([rows, *more])


def scattered():
    """Values that a linear axis shows, with wide bars."""
    random = np.random.default_rng(3)
    at = {32: 60, 16: 60, 8: 61, 6: 63, 4: 72, 3: 95, 2: 180}
    return pd.concat(
        seeds_of(
            model, line, **{f"b{b}": p * (1 + 0.08 * random.normal(size=4)) for b, p in at.items()}
        )
        for model in ("resnet_bk", "mamba", "llama")
        for line in ("by_channel", "gptq")
    )


CASES = {
    "realistic": realistic,
    "many models": many_models,
    "scattered": scattered,
    "simulated": simulated,
    "one point": lambda: rows_of({"mamba": {4: 40}}),
    "infinite": lambda: rows_of({"mamba": {32: 30, 4: np.inf}, "llama": {32: np.inf, 4: 30}}),
    "a line that one model lacks": lambda: realistic().query(
        "model != 'mamba' or line == 'by_channel'"
    ),
    "a model without the shown line": lambda: realistic().query(
        "model != 'mamba' or line != 'by_channel'"
    ),
}
every_case = pytest.mark.parametrize("case", CASES)
BIT_WIDTHS = (32, 16, 8, 6, 4, 3, 2)


@cache
def drawn_once(case):
    settings = RobustnessSettings(bit_widths=BIT_WIDTHS)
    figure = robustness.draw(robustness.select({"robustness": CASES[case]()}, settings))
    drawn = {text: box for text, box in boxes(figure).items() if text.get_text() != WATERMARK}
    return figure, drawn


def large_panel(figure):
    return figure.axes[0]


def curves(panel):
    return {
        line.get_label(): line
        for line in panel.get_lines()
        if not str(line.get_label()).startswith("_")
    }


def of_label(panel, label):
    return [line for line in panel.get_lines() if line.get_label() == label]


@every_case
def test_all_text_lies_inside_the_figure(case):
    figure, drawn = drawn_once(case)
    if len(drawn) > 10:
        assert outside(figure, drawn) == []


@every_case
def test_no_text_lies_on_another(case):
    _, drawn = drawn_once(case)
    assert collisions(drawn) == []


@every_case
def test_no_value_lies_on_a_line(case):
    figure, drawn = drawn_once(case)
    to_points = 72 / figure.dpi
    for panel in figure.axes:
        values = [drawn[text] for text in panel.texts if text in drawn]
        for line in panel.get_lines():
            corners = line.get_transform().transform(line.get_xydata()) * to_points
            for one, other in pairwise(corners):
                for share in np.linspace(0, 1, 300):
                    x, y = one + share * (other - one)
                    assert not any(
                        box.x0 < x < box.x1 and box.y0 + 1 < y < box.y1 - 1 for box in values
                    ), f"{line.get_label()} at {x:.0f}, {y:.0f}"


@every_case
def test_the_figure_has_the_width_and_the_type_of_the_house(case):
    figure, drawn = drawn_once(case)
    assert figure.get_figwidth() == FULL_WIDTH
    assert {text.get_fontsize() for text in drawn} <= {6, 7, 8}


@every_case
def test_the_order_of_rows_changes_nothing(case):
    figure, _ = drawn_once(case)
    settings = RobustnessSettings(bit_widths=BIT_WIDTHS)
    shuffled = CASES[case]().sample(frac=1, random_state=3)
    other = robustness.draw(robustness.select({"robustness": shuffled}, settings))
    for panel, other_panel in zip(figure.axes, other.axes, strict=True):
        for line, other_line in zip(panel.get_lines(), other_panel.get_lines(), strict=True):
            assert line.get_label() == other_line.get_label()
            np.testing.assert_allclose(line.get_xydata(), other_line.get_xydata(), rtol=1e-12)


def test_the_main_panel_has_every_model_in_the_shown_line_and_small_ones_all_lines():
    selected = robustness.select({"robustness": realistic()}, SETTINGS)
    assert set(selected[selected.shown].line) == {"by_channel"}
    figure = robustness.draw(selected)
    large, *small = figure.axes
    assert list(curves(large)) == ["resnet_bk", "mamba", "llama"]
    assert [panel.get_title() for panel in small] == ["ResNet-BK", "Mamba", "Llama"]
    for panel in small:
        assert set(curves(panel)) == {"by_channel", "by_tensor", "group_64", "gptq"}
    rows = selected[selected.shown & (selected.model == "llama")]
    assert curves(large)["llama"].get_ydata().tolist() == rows.perplexity.tolist()


def test_a_model_has_one_colour_whatever_stands_beside_it():
    colours = [
        line.get_color()
        for case in ("realistic", "one point", "a model without the shown line", "infinite")
        for panel in drawn_once(case)[0].axes
        if panel.get_title() == "Mamba" or "mamba" in curves(panel)
        for line in [curves(panel).get("mamba") or curves(panel)["gptq"]]
    ]
    assert len(colours) == 6
    assert len(set(colours)) == 1


def test_bits_fall_from_left_to_right():
    figure, _ = drawn_once("realistic")
    labels = [label.get_text() for label in large_panel(figure).get_xticklabels()]
    assert labels == ["32\nfp32", "16\nfp16", "8\nint8", "4\nint4", "2\nint2"]


def test_one_line_has_no_small_panels():
    assert len(drawn_once("simulated")[0].axes) == 1


def test_values_are_those_of_the_shown_line_in_the_colour_of_their_model():
    figure, _ = drawn_once("simulated")
    panel = large_panel(figure)
    written = {(text.get_text(), to_rgba(text.get_color())) for text in panel.texts}
    colours = {model: to_rgba(line.get_color()) for model, line in curves(panel).items()}
    assert written == {
        *((text, colours["resnet_bk"]) for text in ("30.2", "31.5", "34.4", "44.9")),
        *((text, colours["mamba"]) for text in ("33.0", "32.7", "38.1", "211.0", "479.5")),
    }
    assert len(panel.texts) == 10


def test_a_star_or_a_cross_says_what_is_deployable_at_int4():
    figure, _ = drawn_once("simulated")
    panel = large_panel(figure)
    marks = {line.get_marker(): line for line in of_label(panel, "_mark")}
    by_model = {model: line.get_color() for model, line in curves(panel).items()}
    assert marks["*"].get_color() == by_model["resnet_bk"]
    assert marks["X"].get_color() == by_model["mamba"]
    (place,) = marks["X"].get_xydata()
    assert round(place[0]) == 3
    assert place[1] == pytest.approx(211.05, abs=0.01)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"deployable at int4", "not deployable at int4", "threshold 100"} <= set(legend)


def test_bars_are_standard_deviations():
    rows = seeds_of("mamba", b32=[30, 34], b4=[40, 50])
    panel = large_panel(robustness.draw(robustness.select({"robustness": rows}, SETTINGS)))
    bars = [line.get_ydata().tolist() for line in of_label(panel, "_deviation")]
    expected = [(32 - 8**0.5, 32 + 8**0.5), (45 - 50**0.5, 45 + 50**0.5)]
    assert np.array(bars) == pytest.approx(np.array(expected))


def test_the_threshold_is_dashed_and_what_is_below_is_shaded():
    settings = RobustnessSettings(absolute_threshold=50, relative_threshold=1.5)
    rows = pd.concat([seeds_of("mamba", line, b32=[30], b4=[60]) for line in ("a", "by_channel")])
    large, small = robustness.draw(robustness.select({"robustness": rows}, settings)).axes
    for panel, limit in ((large, 50), (small, 45)):
        (threshold,) = of_label(panel, "_threshold")
        assert threshold.get_ydata()[0] == 50
        assert threshold.get_linestyle() == "--"
        (region,) = panel.patches
        assert region.get_y() + region.get_height() == pytest.approx(limit)


def test_what_is_off_the_axis_has_an_arrow_and_its_value():
    figure, _ = drawn_once("realistic")
    panel = large_panel(figure)
    arrows = [text for text in panel.texts if getattr(text, "arrow_patch", None)]
    assert [round(text.xy[0]) for text in arrows] == [4]
    assert arrows[0].xy[1] == max(curves(panel)["mamba"].get_ydata())
    assert any("e4" in text.get_text() for text in panel.texts)
    mamba = figure.axes[2]
    assert "■ ∞" in {text.get_text() for text in mamba.texts}


@pytest.mark.parametrize("case", ["simulated", "realistic"])
def test_only_what_is_simulated_says_so_and_says_it_across_the_figure(case):
    figure, _ = drawn_once(case)
    marks = [text for text in figure.texts if text.get_text() == WATERMARK]
    assert len(marks) == (case == "simulated")
    for mark in marks:
        assert mark.get_window_extent().width > 0.6 * figure.bbox.width
        assert figure.bbox.containsx(mark.get_window_extent().x1)


def test_one_simulated_row_among_others_is_enough():
    rows = pd.concat([simulated(), simulated().assign(model="llama", source="measured")])
    figure = robustness.draw(robustness.select({"robustness": rows}, SETTINGS))
    assert WATERMARK in {text.get_text() for text in texts(figure)}


def test_precisions_that_were_not_measured_are_an_error():
    with pytest.raises(AtlasError, match="bit_widths: found"):
        robustness.select({"robustness": simulated()}, RobustnessSettings(bit_widths=(5,)))


def caption_of(rows, settings=SETTINGS):
    return robustness.caption(robustness_summary(rows, settings), settings)


def test_the_caption_has_the_numbers_the_limits_and_what_fails():
    settings = RobustnessSettings(absolute_threshold=90, relative_threshold=1.5)
    rows = rows_of({"resnet_bk": {32: 30, 8: 33, 4: 34}, "mamba": {32: 32, 8: 33, 4: np.inf}})
    caption = caption_of(rows, settings)
    assert "at most 90 (dashes) and at most 1.5 times" in caption
    assert "ResNet-BK: 30.00 at fp32, 34.00 at int4 (deployable)" in caption
    assert "Mamba: 32.00 at fp32, infinite at int4 (not deployable)" in caption
    assert "4 of 6 checks hold. Fails: At int8 the perplexity of ResNet-BK" in caption
    assert "less than 5 % (10.00 %); At int8 ResNet-BK" in caption
    assert caption.endswith(".")
    assert "not measured" not in caption.lower()


def test_the_caption_says_what_was_not_measured():
    caption = caption_of(rows_of({"llama": {32: 30}}))
    assert "Llama: 30.00 at fp32, not measured at int4." in caption
    assert "0 of 6 checks hold. Not measured: At int8" in caption


def test_the_caption_says_that_numbers_are_simulated():
    assert caption_of(simulated()).startswith("SIMULATED")
    assert "6 of 6 checks hold." in caption_of(simulated())
    assert "SIMULATED" not in caption_of(realistic())


def test_what_was_imported_is_drawn_alike_and_saved_twice_the_same(tmp_path):
    write_interchange(realistic(), SETTINGS, tmp_path / "files")
    rows = read_interchange(tmp_path / "files")
    for folder in ("one", "two"):
        selected = robustness.select({"robustness": rows}, SETTINGS)
        pdf = tmp_path / folder / "robustness.pdf"
        save_figure(robustness.draw(selected), selected, caption_of(rows), pdf, ())
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    imported = curves(large_panel(robustness.draw(selected)))
    measured = curves(large_panel(drawn_once("realistic")[0]))
    for model, line in measured.items():
        assert imported[model].get_xydata() == pytest.approx(line.get_xydata())
