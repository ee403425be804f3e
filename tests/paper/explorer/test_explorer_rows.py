import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.paper.explorer.charts import chart
from qatlas.paper.explorer.columns import encode
from qatlas.paper.explorer.page import page
from qatlas.paper.explorer.themes import THEMES, contrast, on_page
from qatlas.paper.explorer.views import VIEWS
from qatlas.plotting import FAMILY_COLOURS

ORDER = ["model", "kind", "layer", "tensor"]


def rows_of(dataset, **choice):
    """Rows that a choice leads to; facets that it does not name are all together."""
    scopes = dataset.scopes
    wanted = {facet.column: choice.get(facet.column, "") for facet in dataset.facets}
    (scope,) = scopes[(scopes[list(wanted)] == list(wanted.values())).all(axis=1)].itertuples()
    return dataset.rows.iloc[scope.first_row : scope.first_row + scope.rows]


def decoded(column):
    if "values" in column:
        return [column["values"][place] for place in column["places"]]
    return column.get("numbers") or column["truths"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1))
def test_numbers_come_back_to_six_digits_and_what_is_no_number_as_null(numbers):
    written = json.loads(json.dumps(encode(pd.DataFrame({"n": numbers}))))["n"]["numbers"]
    for found, number in zip(written, numbers, strict=True):
        if np.isfinite(number):
            assert found == pytest.approx(number, rel=1e-5, abs=5e-324)
        else:
            assert found is None


@given(st.lists(st.text(), min_size=1))
def test_texts_come_back_as_they_were(texts):
    assert decoded(encode(pd.DataFrame({"t": texts}))["t"]) == texts


@given(st.sampled_from(sorted(FAMILY_COLOURS.values())))
def test_colours_are_those_of_figures_on_white_and_can_be_seen_on_dark(colour):
    assert on_page(colour, THEMES["light"]).lower() == colour.lower()
    assert contrast(on_page(colour, THEMES["dark"]), THEMES["dark"].page) >= 3


def test_contrast_is_that_of_the_standard():
    # Known pairs: the extremes, and the lightest grey that passes 4.5 on white.
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_every_measurement_is_on_the_page_once(made, found):
    dataset = found["weights"]
    finest = dataset.scopes[dataset.scopes.finest].drop_duplicates("first_row")
    assert finest.rows.sum() == len(made.tables["measurements"])
    assert dataset.rows.job.notna().sum() == len(made.tables["measurements"])


def test_a_tensor_has_the_rows_of_the_table(made, found):
    rows = rows_of(found["weights"], model="bert", tensor="words")
    measurements = made.tables["measurements"]
    known = measurements[measurements.tensor == "words"]
    key = ["series", "nominal_bits"]
    shown = rows.rename(columns={"at": "nominal_bits", "family": "codec"}).sort_values(key)
    same = ["codec", "parameters", "rate_bits_per_weight", "mse", "nmse", "gap_shannon_bits"]
    expected = known.sort_values(key)
    pd.testing.assert_frame_equal(
        shown[[*key, *same]].reset_index(drop=True),
        expected[[*key, *same]].reset_index(drop=True),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    "choice", [{}, {"kind": "attention_q"}, {"layer": "0"}], ids=["model", "kind", "layer"]
)
def test_averages_weigh_every_tensor_by_its_number_of_weights(made, found, choice):
    rows = rows_of(found["weights"], model="bert", **choice)
    table = made.tables["measurements"].assign(layer=lambda t: t.layer.astype(str))
    for column, value in ({"model": "bert"} | choice).items():
        table = table[table[column] == value]
    for row in rows.itertuples():
        of = table[(table.series == row.series) & (table.nominal_bits == row.at)]
        for column in ("rate_bits_per_weight", "scale_bits_per_weight", "mse", "nmse"):
            mean = np.average(of[column].to_numpy(float), weights=of.weights)
            assert getattr(row, column) == pytest.approx(mean)
    assert rows.job.isna().all()
    assert (rows.tensor == f"mean of {table.tensor.nunique()}").all()


def test_a_kind_with_one_tensor_is_that_tensor(found):
    dataset = found["weights"]
    by_kind = rows_of(dataset, model="bert", kind="mlp_fc1")
    pd.testing.assert_frame_equal(by_kind, rows_of(dataset, model="bert", tensor="layer.0.up"))


def test_a_layer_outside_the_stack_is_called_none(found):
    rows = rows_of(found["weights"], model="bert", layer="none")
    assert set(rows.tensor) == {"words"}


def test_every_row_names_the_job_that_wrote_it(made, found):
    dataset = found["weights"]
    for row in dataset.rows[dataset.rows.job.notna()].itertuples():
        part = pd.read_parquet(made.measured[dataset.jobs[int(row.job)]])
        assert ((part.tensor == row.tensor) & (part.series == row.series)).any()


def test_intervals_stand_where_rows_were_drawn_alone(found):
    rows = rows_of(found["weights"], model="bert", tensor="words")
    drawn = rows.series == "trellis"
    assert rows.mse_low[drawn].notna().all()
    assert rows.mse_low[~drawn].isna().all()
    width = 0.5 * np.log2(1.1 / 0.9)
    assert (rows.gap_shannon_bits_high - rows.gap_shannon_bits_low)[drawn].to_numpy() == (
        pytest.approx(width)
    )


def test_the_model_itself_is_a_level_and_no_point(found):
    dataset = found["outputs"]
    assert "cast" not in set(dataset.rows.family)
    levels = dataset.limits[dataset.limits.quantity == "perplexity"]
    assert levels.x.isna().all()
    assert levels.y[levels.limit == "float32"].tolist() == [50, 60]
    # No error has no place on a logarithmic axis.
    assert set(dataset.limits[dataset.limits.quantity == "mean_kl"].limit) == {"bfloat16"}


def test_the_largest_table_of_at_most_256_levels_is_shown_first(found):
    size = next(f for f in found["growth"].facets if f.column == "size")
    assert size.first == "16"


def test_plots_are_valid_and_have_no_data_of_their_own(found):
    for view in VIEWS:
        for quantity in view.quantities:
            spec = chart(view, quantity, found[view.dataset])
            names = set(re.findall(r'"data": \{"name": "(\w+)"\}', json.dumps(spec)))
            assert names == {"lines", "points", "limits", "chosen"}
            assert "datasets" not in spec


def test_a_page_is_the_same_bytes_twice(made, html):
    assert page(made.datasets(), VIEWS) == html


def test_a_study_of_weights_alone_has_their_views_alone(made):
    html = page(made.datasets("measurements", "bounds"), VIEWS)
    content = json.loads(re.search(r'id="content">(.*?)</script>', html)[1])
    assert [view["name"] for view in content["views"]] == ["rate-distortion", "gap"]


@pytest.mark.parametrize("name", ["measurements", "evaluations", "trajectories"])
def test_a_table_without_rows_is_refused_by_name(made, name):
    empty = made.tables | {name: made.tables[name].iloc[:0]}
    with pytest.raises(AtlasError, match=f"{name} has no rows.*{name}.parquet"):
        type(made)(empty, made.measured, made.evaluated).datasets()
