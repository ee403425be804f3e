import csv
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qatlas.plotting import FAMILY_COLOURS
from tests.paper.explorer.conftest import BITS, HOSTILE, SERIES

# One worker makes the page and opens the browser.
pytestmark = pytest.mark.xdist_group("explorer")

POINTS = len(SERIES) * len(BITS)
MARKERS = "#plot .mark-symbol path[aria-roledescription='point']"


def facet(tab, name):
    return tab.locator(f"select[data-facet={name}]")


def header(tab):
    return [cell.strip() for cell in tab.locator("#table thead th").all_inner_texts()]


def column(tab, label):
    place = header(tab).index(label) + 1
    return tab.locator(f"#table tbody tr > :nth-child({place})").all_inner_texts()


def downloaded(look):
    with look.tab.expect_download() as waiting:
        look.tab.get_by_role("button", name="Download as CSV").click()
    return list(csv.DictReader(waiting.value.path().read_text().splitlines()))


def point_at(look, label):
    """Move the pointer to the marker whose description begins so, and wait for its words."""
    marker = look.tab.locator(f"{MARKERS}[aria-label^='{label}']")
    marker.scroll_into_view_if_needed()
    box = marker.bounding_box()
    look.tab.mouse.move(0, 0)
    look.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = look.tab.locator("#vg-tooltip-element")
    tip.wait_for()
    return tip.inner_text()


def test_the_page_shows_the_first_model_on_the_whole(look):
    tab = look.open()
    assert tab.inner_text("h2") == "Rate and distortion"
    assert facet(tab, "model").input_value() == "bert"
    said = tab.inner_text("#status")
    assert "averaged over 4 tensors" in said
    assert tab.inner_text("#count") == f"{POINTS} of {POINTS} rows"


def test_every_view_can_be_reached_and_draws(look):
    tab = look.open()
    for title in ("Gap to the bound", "Perplexity", "Errors of look-up", "Rate and distortion"):
        look.done(tab.get_by_role("link", name=title).click)
        assert tab.inner_text("h2") == title
        assert tab.locator("nav a[aria-current=page]").inner_text() == title
        assert tab.locator(MARKERS).count() > 0


def test_a_choice_shows_the_measurements_of_that_tensor(look, made):
    tab = look.open()
    look.done(lambda: facet(tab, "kind").select_option("attention_q"))
    look.done(lambda: facet(tab, "layer").select_option("1"))
    known = made.tables["measurements"]
    known = known[known.tensor == "layer.1.query"]
    shown = pd.DataFrame(downloaded(look))
    assert set(shown.tensor) == {"layer.1.query"}
    assert sorted(shown.mse.astype(float)) == pytest.approx(sorted(known.mse), rel=1e-5)
    assert "of.layer=1" in tab.url


def test_choices_offer_what_there_is(look):
    tab = look.open(of_kind="attention_q")
    options = tab.locator("select[data-facet=layer] option").all_inner_texts()
    assert options == ["all layers", "0", "1"]
    tensors = tab.locator("select[data-facet=tensor] option").all_inner_texts()
    assert tensors == ["mean over tensors", "layer.0.query", "layer.1.query"]


def test_the_pointer_shows_codec_parameters_rate_error_gap_and_interval(look):
    look.open(of_tensor="words", single="trellis")
    tip = point_at(look, "trellis: true rate (bits per weight) 2.125")
    for part in (
        "trellis",
        '{"bits": 2}',
        "true rate",
        "2.125",
        "of it payload",
        "of it scale",
        "0.125",
        "MSE",
        "95 % from",
        "gap to empirical",
        "gap to Shannon",
    ):
        assert part in tip


def test_a_click_chooses_a_point_and_the_address_says_so(look):
    tab = look.open(of_tensor="words", single="by_channel")
    point_at(look, "by_channel: true rate (bits per weight) 3.125")
    look.done(lambda: (tab.mouse.down(), tab.mouse.up()))
    assert tab.inner_text("#point h3") == "by_channel, 3 nominal bits"
    assert "point=by_channel%403" in tab.url
    link = tab.locator("#point a").first
    assert link.get_attribute("href") == "../rate_distortion/sweep/bert/uniform/0.benchmark.tsv"


def test_a_family_that_is_left_out_is_neither_drawn_nor_listed(look):
    tab = look.open()
    look.done(tab.get_by_role("checkbox", name="uniform").uncheck)
    assert set(column(tab, "family")) == {"lloyd_max", "trellis"}
    assert "without=uniform" in tab.url
    labels = tab.locator(MARKERS).evaluate_all("marks => marks.map(m => m.ariaLabel)")
    assert {label.partition(":")[0] for label in labels} == {"lloyd_max", "trellis"}
    look.done(tab.get_by_role("button", name="Show all as at first").click)
    assert "without" not in tab.url


def test_a_grid_that_is_singled_out_stands_out_alone(look):
    tab = look.open()
    tab.locator("details[data-family=uniform]").evaluate("details => (details.open = true)")
    look.done(tab.get_by_role("checkbox", name="by_tensor").check)
    labels = tab.locator(MARKERS).evaluate_all("marks => marks.map(m => m.ariaLabel)")
    assert {label.partition(":")[0] for label in labels} == {"by_tensor"}
    # Who chooses with the keyboard stays where they were.
    assert tab.evaluate("document.activeElement.parentElement.textContent") == "by_tensor"


@pytest.mark.parametrize("asked", ["trellis", "lloyd rate<3", "by_ mse>=0.1 mse<2", "payload=4"])
def test_a_filter_leaves_the_rows_that_have_its_words_and_numbers(look, asked):
    tab = look.open(finest="yes")
    look.done(lambda: tab.get_by_label("Filter").fill(asked))
    shown = pd.DataFrame(downloaded(look))
    every = pd.DataFrame(downloaded_all(look))
    texts = every[["series", "family", "parameters", "tensor", "kind", "layer"]].agg(
        " ".join, axis=1
    )
    kept = np.ones(len(every), bool)
    names = {"rate": "rate_bits_per_weight", "payload": "payload_bits_per_weight"}
    for part in asked.split():
        if not (said := re.match(r"(\w+)(<=|>=|<|>|=)(.+)", part)):
            kept &= texts.str.contains(part, regex=False)
            continue
        numbers = every[names.get(said[1], said[1])].astype(float)
        compare = {"<": np.less, ">=": np.greater_equal, "=": np.equal}[said[2]]
        kept &= compare(numbers, float(said[3]))
    assert len(shown) == kept.sum() > 0
    assert sorted(map(tuple, shown.to_numpy())) == sorted(map(tuple, every[kept].to_numpy()))


def downloaded_all(look):
    look.done(lambda: look.tab.get_by_label("Filter").fill(""))
    return downloaded(look)


@pytest.mark.parametrize("turned", [False, True], ids=["up", "down"])
def test_a_heading_sorts_the_rows_by_its_column(look, turned):
    tab = look.open(finest="yes")
    button = tab.get_by_role("columnheader", name="MSE / variance").get_by_role("button")
    look.done(button.click)
    if turned:
        look.done(button.click)
    values = [float(row["nmse"]) for row in downloaded(look)]
    assert values == sorted(values, reverse=turned)
    sorted_by = tab.get_by_role("columnheader", name="MSE / variance")
    assert sorted_by.get_attribute("aria-sort") == ("descending" if turned else "ascending")


def test_what_is_missing_is_sorted_behind_all_numbers(look):
    tab = look.open(of_model="noise", sort="gap_channel_variance_bits")
    assert set(column(tab, "gap to the bound of Gaussian channels (bits)")) == {"–"}
    tab = look.open(of_tensor="words", finest="yes", sort="-mse_low")
    low = [row["mse_low"] for row in downloaded(look)]
    assert [value != "" for value in low] == [True] * len(BITS) + [False] * (POINTS - len(BITS))


def test_the_download_is_the_table_of_the_measurements(look, made):
    look.open(finest="yes")
    shown = pd.DataFrame(downloaded(look)).rename(columns={"at": "nominal_bits"})
    known = made.tables["measurements"]
    known = known[known.model == "bert"]
    assert len(shown) == len(known) == 4 * POINTS
    joined = known.merge(
        shown.astype({"nominal_bits": float}), on=["tensor", "series", "nominal_bits"]
    )
    assert len(joined) == len(known)
    for name in ("rate_bits_per_weight", "mse", "gap_empirical_bits"):
        found = joined[f"{name}_y"].astype(float).to_numpy()
        assert found == pytest.approx(joined[f"{name}_x"].to_numpy(), rel=1e-5)
    assert set(shown.job) == {
        f"rate_distortion/sweep/bert/{codec}/0" for codec, _ in SERIES.values()
    }


def test_rows_come_a_page_at_a_time(look):
    tab = look.open(finest="yes")
    assert tab.inner_text("#page") == "Page 1 of 2"
    assert tab.locator("#table tbody tr").count() == 50
    look.done(tab.get_by_role("button", name="Next").click)
    assert tab.locator("#table tbody tr").count() == 4 * POINTS - 50
    assert tab.get_by_role("button", name="Next").is_disabled()


def test_a_row_of_a_mean_leads_to_its_tensor(look):
    tab = look.open(finest="yes", filter="words at=3 lloyd")
    look.done(tab.locator("#table tbody th button").first.click)
    assert facet(tab, "tensor").input_value() == "words"
    assert tab.inner_text("#point h3") == "lloyd_max, 3 nominal bits"


def test_an_address_shows_what_was_shown(look):
    tab = look.open(
        view="gap",
        quantity="gap_shannon_bits",
        of_layer="0",
        without=["trellis"],
        single=["by_channel"],
        xhigh="4",
        filter="rate<4",
        sort="-mse",
        finest="yes",
        theme="dark",
        point="by_channel@2",
    )
    shown = whole(tab)
    assert "by_channel, 2 nominal bits" in shown[0]
    look.load("#" + tab.url.partition("#")[2])
    assert whole(tab) == shown
    assert facet(tab, "layer").input_value() == "0"
    assert tab.get_by_label("Filter").input_value() == "rate<4"
    assert tab.locator("html").get_attribute("data-theme") == "dark"


def whole(tab):
    """Text and plot of the page, without the numbers that Vega gives to its clips."""
    plot = re.sub(r"clip\d+", "clip", tab.locator("#plot svg").inner_html())
    return tab.inner_text("main"), plot


def test_an_address_of_what_is_not_there_shows_what_is(look):
    tab = look.open(
        view="nothing",
        quantity="none",
        of_model="gone",
        of_layer="99",
        without=["nobody"],
        single=["no_grid"],
        page="-7",
        xlow="word",
        sort="nothing",
        point="gone@1",
        theme="pink",
    )
    assert tab.inner_text("#count") == f"{POINTS} of {POINTS} rows"
    assert tab.locator(MARKERS).count() > 0
    assert tab.locator("#point").is_hidden()


def test_back_and_forward_go_through_what_was_shown(look):
    tab = look.open()
    look.done(lambda: facet(tab, "kind").select_option("mlp_fc1"))
    look.done(tab.get_by_role("link", name="Gap to the bound").click)
    look.done(tab.go_back)
    assert tab.inner_text("h2") == "Rate and distortion"
    assert facet(tab, "kind").input_value() == "mlp_fc1"
    look.done(tab.go_back)
    assert facet(tab, "kind").input_value() == ""
    look.done(tab.go_forward)
    assert facet(tab, "kind").input_value() == "mlp_fc1"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.fixed_dictionaries(
        {
            "view": TEXT,
            "filter": TEXT,
            "facets": st.dictionaries(TEXT, TEXT, max_size=3),
            "single": st.lists(TEXT, max_size=3),
        }
    )
)
def test_states_come_back_from_addresses(look, state):
    found = look.tab.evaluate(
        """async (state) => {
          const { parse, fragment } = await import("explorer/state");
          return parse(fragment({ ...parse(""), ...state }));
        }""",
        state,
    )
    assert {name: found[name] for name in state} == state


def test_all_can_be_done_with_the_keyboard(look):
    tab = look.load("#of.tensor=words&single=by_channel")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the plot"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "plot"
    for key, bits in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        look.done(lambda key=key: tab.keyboard.press(key))
        assert tab.inner_text("#point h3") == f"by_channel, {bits} nominal bits"
    tab.locator("#save").focus()
    seen = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        seen.add(tab.evaluate("document.activeElement.id || document.activeElement.dataset.column"))
    assert {"filter", "download", "scroll", "series", "mse"} <= seen


def test_up_and_down_go_to_the_neighbouring_line(look):
    tab = look.open(of_tensor="words", point="lloyd_max@2")
    tab.locator("#plot").focus()
    look.done(lambda: tab.keyboard.press("ArrowDown"))
    assert tab.inner_text("#point h3") == "trellis, 2 nominal bits"
    look.done(lambda: tab.keyboard.press("ArrowUp"))
    assert tab.inner_text("#point h3") == "lloyd_max, 2 nominal bits"


def test_who_cannot_see_is_told_everything_there_is_to_choose(look):
    for view in ("rate-distortion", "gap", "perplexity", "growth"):
        tab = look.open(view=view)
        nameless = tab.evaluate(
            """() => [...document.querySelectorAll("button, a, input, select, [role=region]")]
              .filter((e) => !e.hidden && !(e.ariaLabel || e.textContent.trim()
                || e.labels?.length || e.getAttribute("aria-labelledby")))
              .map((e) => e.outerHTML)"""
        )
        assert nameless == []
        assert tab.locator("h1").count() == tab.locator("main").count() == 1
        assert tab.locator("[role=status]").count() == 2
        assert tab.locator("#point").get_attribute("aria-live") == "polite"
        assert tab.locator("#table th:not([scope])").count() == 0
        plot = tab.locator("#plot[role=graphics-document]")
        assert plot.get_attribute("aria-labelledby") == "title"
        assert plot.get_attribute("aria-describedby") == "keys"
        ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert len(ids) == len(set(ids))


def test_families_have_the_colours_of_the_figures_on_white(look):
    tab = look.open(theme="light", of_tensor="words")
    drawn = tab.locator(MARKERS).evaluate_all("marks => marks.map(m => m.getAttribute('fill'))")
    families = {codec for codec, _ in SERIES.values()}
    assert {colour.upper() for colour in drawn} == {FAMILY_COLOURS[f].upper() for f in families}


def test_the_page_follows_the_system_until_told_otherwise(look):
    tab = look.open()
    page_colour = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(page_colour) == "rgb(255, 255, 255)"
    look.done(lambda: tab.emulate_media(color_scheme="dark"))
    assert tab.evaluate(page_colour) == "rgb(20, 23, 28)"
    bounds = tab.locator("#plot .mark-line path[stroke='#ffffff']")
    assert bounds.count() == 3
    look.done(lambda: tab.get_by_label("Colours").select_option("light"))
    assert tab.evaluate(page_colour) == "rgb(255, 255, 255)"
    assert tab.locator("#plot .mark-line path[stroke='#000000']").count() == 3
    assert "theme=light" in tab.url


@pytest.mark.parametrize("width", [360, 800, 1920])
def test_no_window_is_too_narrow(look, width):
    for view in ("rate-distortion", "gap", "perplexity", "growth"):
        tab = look.open(view=view)
        tab.set_viewport_size({"width": width, "height": 740})
        tab.wait_for_timeout(150)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        plot = tab.locator("#plot svg").bounding_box()
        assert plot["x"] >= 0
        assert plot["x"] + plot["width"] <= width
        assert plot["width"] > 0.5 * min(width, 800)


def test_axes_end_where_they_are_told_to(look):
    tab = look.open(xlow="2", xhigh="3.5")
    labels = tab.locator(MARKERS).evaluate_all("marks => marks.map(m => m.ariaLabel)")
    rates = {float(re.search(r"\(bits per weight\) ([\d.]+)", label)[1]) for label in labels}
    assert rates == {2.125, 3.125}
    assert "beyond the axes" in tab.inner_text("#status")


def test_nothing_left_is_said(look):
    tab = look.open(without=sorted({codec for codec, _ in SERIES.values()}))
    assert "Nothing is left to draw" in tab.inner_text("#status")
    assert tab.inner_text("#count") == f"0 of {POINTS} rows"


def test_the_plot_can_be_saved(look):
    tab = look.open()
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Save the plot as SVG").click()
    assert waiting.value.path().read_text().startswith("<svg")


def test_names_from_checkpoints_are_text_and_nothing_else(look):
    tab = look.open(of_model="noise", finest="yes", point="lloyd_max@2")
    assert tab.title() == "Quantization Atlas: explorer"
    assert tab.locator("img").count() == 0
    assert facet(tab, "tensor").locator("option").all_inner_texts()[-1] == HOSTILE
    assert HOSTILE in tab.inner_text("#point")
    assert set(column(tab, "tensor")) == {HOSTILE}
    assert {row["tensor"] for row in downloaded(look)} == {HOSTILE}
    assert "lloyd_max" in point_at(look, "lloyd_max: true rate (bits per weight) 2.125")
    assert tab.locator("img").count() == 0
    assert tab.title() == "Quantization Atlas: explorer"


def test_no_name_from_a_checkpoint_ends_a_script(html):
    assert HOSTILE.partition("<img")[0] + "<img" not in html
    assert len(re.findall(r"<script\b", html)) == len(re.findall(r"</script>", html)) == 4


def test_the_chosen_point_can_be_pointed_at_too(look):
    look.open(of_tensor="words", point="lloyd_max@2")
    assert "lloyd_max" in point_at(look, "lloyd_max: true rate (bits per weight) 2.125")
