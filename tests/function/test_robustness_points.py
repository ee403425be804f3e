"""Means over seeds, what may be deployed, and what tests between models say."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from qatlas.errors import AtlasError
from qatlas.function.robustness.pairs import paired_tests
from qatlas.function.robustness.points import points, shown_line, shown_points
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import Deployment, RobustnessSettings
from qatlas.tables import read_table, write_table
from tests.function.robustness_rows import realistic, rows_of, seeds_of

perplexities = st.floats(1.01, 1e6)


def at(table, model, bits, line="by_channel"):
    (row,) = table[
        (table.model == model) & (table.bit_width == bits) & (table.line == line)
    ].to_dict("records")
    return row


@settings(deadline=None, max_examples=40)
@given(st.lists(perplexities, min_size=2, max_size=5), st.lists(perplexities, min_size=2))
def test_means_deviations_and_degradations_are_those_of_the_seeds(floats, fours):
    table = points(seeds_of("mamba", b32=floats, b4=fours), Deployment())
    found = at(table, "mamba", 4)
    assert found["seeds"] == len(fours)
    assert found["perplexity"] == pytest.approx(np.mean(fours))
    assert found["perplexity_sd"] == pytest.approx(np.std(fours, ddof=1), rel=1e-6, abs=1e-6)
    ratio = np.mean(fours) / np.mean(floats)
    assert found["degradation_percent"] == pytest.approx(100 * (ratio - 1), rel=1e-6, abs=1e-6)
    assert at(table, "mamba", 32)["degradation_percent"] == 0


@settings(deadline=None)
@given(perplexities, perplexities, st.floats(1, 1e3), st.floats(1, 10))
def test_a_model_is_deployable_only_under_both_limits(at_32, at_4, absolute, relative):
    table = points(rows_of({"llama": {32: at_32, 4: at_4}}), Deployment(absolute, relative))
    expected = at_4 <= absolute and at_4 <= relative * at_32
    assert at(table, "llama", 4)["deployable"] is expected


@pytest.mark.parametrize(
    ("at_32", "at_4", "deployable"),
    [(40, 80, True), (40, 80.1, False), (60, 100, True), (60, 100.1, False), (200, 200, False)],
)
def test_by_default_at_most_100_and_at_most_twice_the_float_model(at_32, at_4, deployable):
    table = points(rows_of({"llama": {32: at_32, 4: at_4}}), Deployment())
    assert at(table, "llama", 4)["deployable"] is deployable


@pytest.mark.parametrize(("at_4", "deployable"), [(50, None), (150, False)])
def test_without_the_float_model_only_what_exceeds_the_absolute_limit_is_known(at_4, deployable):
    found = at(points(rows_of({"llama": {4: at_4}}), Deployment()), "llama", 4)
    assert found["deployable"] is deployable
    assert math.isnan(found["degradation_percent"])


def test_an_infinite_perplexity_of_one_seed_is_not_averaged_away():
    table = points(seeds_of("mamba", b32=[30, 32], b2=[np.inf, 400]), Deployment())
    found = at(table, "mamba", 2)
    assert (found["perplexity"], found["degradation_percent"]) == (np.inf, np.inf)
    assert math.isnan(found["perplexity_sd"])
    assert found["deployable"] is False


def test_a_line_is_compared_with_its_own_float_model():
    rows = pd.concat(
        [
            rows_of({"llama": {32: 30, 4: 45}}, "by_channel"),
            rows_of({"llama": {32: 40, 4: 45}}, "gptq"),
        ]
    )
    table = points(rows, Deployment())
    assert at(table, "llama", 4, "by_channel")["degradation_percent"] == pytest.approx(50)
    assert at(table, "llama", 4, "gptq")["degradation_percent"] == pytest.approx(12.5)


def test_points_come_by_known_model_then_line_then_falling_bits():
    rows = realistic()
    more = pd.concat([rows, rows[rows.model == "llama"].assign(model="an_other")])
    table = points(more.sample(frac=1, random_state=2), Deployment())
    assert table.model.unique().tolist() == ["resnet_bk", "mamba", "llama", "an_other"]
    assert table.line.tolist()[:6] == ["by_channel"] * 5 + ["by_tensor"]
    assert table.bit_width.tolist()[:6] == [32, 16, 8, 4, 2, 32]


def test_the_table_is_written_and_read(tmp_path):
    rows = realistic()
    write_table(rows, ROBUSTNESS, tmp_path / "robustness.parquet")
    pd.testing.assert_frame_equal(
        read_table(ROBUSTNESS, tmp_path / "robustness.parquet"), rows, check_dtype=False
    )


def test_the_shown_line_is_the_configured_or_the_only_one():
    rows = realistic()
    assert shown_line(rows, RobustnessSettings(shown_line="gptq")) == "gptq"
    assert shown_line(rows[rows.line == "gptq"], RobustnessSettings()) == "gptq"
    with pytest.raises(AtlasError, match=r"shown_line: no line 'gptqq'.*did you mean 'gptq'"):
        shown_line(rows, RobustnessSettings(shown_line="gptqq"))


def test_only_the_precisions_asked_for_are_shown():
    shown = shown_points(realistic(), RobustnessSettings(bit_widths=(4, 32)))
    assert shown.bit_width.tolist() == [32, 4] * 3
    with pytest.raises(AtlasError, match=r"bit_widths: found \[5\].*measured: 32, 16, 8, 4, 2"):
        shown_points(realistic(), RobustnessSettings(bit_widths=[5]))
    rows = realistic().query("line != 'by_channel' or bit_width > 4")
    with pytest.raises(AtlasError, match=r"measured: 32, 16, 8$"):
        shown_points(rows, RobustnessSettings(bit_widths=[4]))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bit_widths": ()}, r"bit_widths: found \[\]; allowed"),
        ({"bit_widths": (32, 0)}, r"bit_widths: found \[32, 0\]"),
        ({"absolute_threshold": 0}, "absolute_threshold: found 0"),
        ({"relative_threshold": math.inf}, "relative_threshold: found inf"),
        ({"relative_threshold": math.nan}, "relative_threshold: found nan"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_key(setting, message):
    with pytest.raises(AtlasError, match=message):
        RobustnessSettings(**setting)


ONE = {"b32": [30, 31, 33], "b4": [33, 35, 36]}
OTHER = {"b32": [40, 38, 39], "b4": [60, 70, 50]}


def test_models_are_compared_by_what_each_seed_loses_in_nats():
    rows = pd.concat([seeds_of("mamba", **OTHER), seeds_of("resnet_bk", **ONE)])
    (found,) = paired_tests(rows).to_dict("records")
    losses = [np.log(np.array(its["b4"]) / np.array(its["b32"])) for its in (ONE, OTHER)]
    differences = losses[0] - losses[1]
    assert (found["model"], found["other"], found["bit_width"]) == ("resnet_bk", "mamba", 4)
    assert found["seeds"] == 3
    assert found["difference"] == pytest.approx(differences.mean())
    assert found["p_value"] == pytest.approx(ttest_1samp(differences, 0).pvalue)


def test_only_seeds_that_both_models_have_are_compared():
    more = seeds_of("mamba", b32=[*OTHER["b32"], 90], b4=[*OTHER["b4"], 91])
    rows = pd.concat([more, seeds_of("resnet_bk", **ONE)])
    fewer = pd.concat([seeds_of("mamba", **OTHER), seeds_of("resnet_bk", **ONE)])
    pd.testing.assert_frame_equal(paired_tests(rows), paired_tests(fewer))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"b32": [30], "b4": [33]}, {"b32": [40], "b4": [60]}),
        ({"b32": [30, 30], "b4": [33, 33]}, {"b32": [40, 40], "b4": [60, 60]}),
        ({"b32": [30, 31], "b4": [33, np.inf]}, {"b32": [40, 41], "b4": [60, 61]}),
    ],
    ids=["a single seed", "equal differences", "an infinite loss"],
)
@pytest.mark.filterwarnings("error")
def test_where_nothing_can_be_tested_the_p_value_is_missing(one, other):
    (found,) = paired_tests(
        pd.concat([seeds_of("resnet_bk", **one), seeds_of("mamba", **other)])
    ).to_dict("records")
    assert math.isnan(found["p_value"])


def test_every_pair_is_tested_at_every_precision_below_32_bits_of_every_line():
    table = paired_tests(realistic())
    assert len(table) == 3 * 4 * 4
    assert 32 not in set(table.bit_width)


def test_one_model_alone_has_no_tests():
    assert paired_tests(seeds_of("mamba", **OTHER)).empty
