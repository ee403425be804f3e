import json
import math

import numpy as np
import pytest

from qatlas.rate_distortion.summary import summarize
from tests.rate_distortion.conftest import summarized_tables

BELOW = "sources.nothing_below_the_empirical_bound"
OPTIMAL = "lloyd_max.least_error_with_one_grid_a_tensor"
CHANNEL = "example.channel_beats_tensor_at_4bit"


@pytest.fixture
def summary(measurements, settings):
    def of(*rows, sampled=("noise",), rotation=(), configured=()):
        tables = summarized_tables(measurements(*rows), list(rotation))
        return summarize(tables, settings, sampled, configured)

    return of


def values(summary, prefix):
    """Values whose names begin so, by the rest of their names."""
    found = {name: value.value for name, value in summary.values.items()}
    return {name[len(prefix) :]: v for name, v in found.items() if name.startswith(prefix)}


def verdicts(summary):
    return {name: claim.holds for name, claim in summary.claims.items()}


def test_a_models_averages_are_weighted_by_the_size_of_its_tensors(summary):
    found = summary(
        ("best", 4, 0.01, {"weights": 300, "gap_shannon_bits": 0.5}),
        ("best", 4, 0.05, {"weights": 100, "gap_shannon_bits": 0.1, "tensor": "narrow"}),
        ("best", 3, 0.20),
    )
    nmse = found["bert.best.4bit.nmse"]
    assert (nmse.value, nmse.low, nmse.high) == (pytest.approx(0.02), 0.01, 0.05)
    assert nmse.unit == "variance of the weights"
    assert nmse.origin == "rate_distortion/tables/measurements.parquet"
    assert found["bert.best.4bit.gap_shannon_bits"].value == pytest.approx(0.4)
    assert found["bert.best.4bit.rate_bits_per_weight"].value == pytest.approx(4.125)
    assert found["bert.best.3bit.nmse"].value == 0.2


def test_an_average_is_undefined_where_one_tensor_has_no_value(summary):
    found = summary(
        ("best", 4, 0.01),
        ("best", 4, 0.0, {"tensor": "narrow", "gap_empirical_bits": np.nan}),
    )
    gap = found["bert.best.4bit.gap_empirical_bits"]
    assert (gap.value, gap.low, gap.high) == (None, None, None)
    assert found["bert.best.4bit.gap_shannon_bits"].value is not None


def test_one_scale_a_tensor_is_compared_with_one_a_channel_on_the_example(summary):
    found = summary(
        ("by_tensor", 4, 0.06),
        ("by_channel", 4, 0.02),
        ("by_tensor", 3, 0.1),
        ("by_channel", 3, 0.2),
        ("by_tensor", 2, 0.5),
        ("by_tensor", 4, 0.9, {"tensor": "narrow"}),
    )
    assert values(found, "example.4bit.tensor_over") == {"_channel_mse": pytest.approx(3)}
    assert values(found, "example.3bit.tensor_over") == {"_channel_mse": pytest.approx(0.5)}
    assert values(found, "example.2bit.tensor_over") == {}


def test_the_most_sensitive_tensor_is_that_of_the_examples_model_at_the_chosen_bits(summary):
    found = summary(
        ("by_channel", 4, 0.01),
        ("by_channel", 4, 0.07, {"tensor": "narrow"}),
        ("by_channel", 4, 0.02, {"tensor": "third"}),
        ("by_channel", 4, np.nan, {"tensor": "constant"}),
        ("by_channel", 4, 0.5, {"model": "noise"}),
        ("by_channel", 3, 0.6, {"tensor": "third"}),
        ("by_tensor", 4, 0.7, {"tensor": "third"}),
    )
    assert values(found, "sensitivity.") == {
        "4bit.worst_tensor": "narrow",
        "4bit.worst_nmse": 0.07,
        "4bit.median_nmse": 0.02,
    }


def test_the_nearest_to_the_bound_is_sought_at_about_the_same_true_rate(summary):
    found = summary(
        ("best", 4, 0.01, {"gap_empirical_bits": 0.3, "gap_shannon_bits": 0.2}),
        ("by_channel", 4, 0.01, {"gap_empirical_bits": 0.1, "rate_bits_per_weight": 4.5}),
        ("by_tensor", 4, 0.01, {"gap_empirical_bits": 0.05, "rate_bits_per_weight": 4.51}),
        ("by_tensor", 3, 0.01, {"gap_empirical_bits": np.nan}),
        ("best", 4, 0.01, {"gap_empirical_bits": 0.0, "tensor": "narrow"}),
    )
    assert values(found, "example.4bit.nearest") == {
        "_to_empirical": "by_channel",
        "_gap_empirical_bits": 0.1,
        "_gap_shannon_bits": 0.5,
    }
    assert values(found, "example.3bit.nearest") == {}


@pytest.mark.parametrize(
    ("gaps", "holds"),
    [
        ([0.3, 0.0], True),
        ([0.3, -0.001], False),
        ([0.3, np.nan], True),
        ([np.nan, np.nan], "not_measured"),
    ],
)
def test_no_codec_may_lie_below_the_bound_of_a_sampled_source(summary, gaps, holds):
    found = summary(
        *(("best", 4, 0.01, {"model": "noise", "gap_empirical_bits": gap}) for gap in gaps),
        # On a trained model structure beats the bound of the memoryless source.
        ("best", 4, 0.01, {"gap_empirical_bits": -0.5}),
    ).claims[BELOW]
    assert found.holds == holds
    assert found.value == (None if holds == "not_measured" else min(g for g in gaps if g == g))
    assert found.threshold == 0


def test_without_a_sampled_source_nothing_is_said_of_its_bound(summary):
    found = summary(("best", 4, 0.01, {"gap_empirical_bits": -0.5}), sampled=())
    assert verdicts(found)[BELOW] == "not_measured"


@pytest.mark.parametrize(
    ("optimal", "uniform", "holds"),
    [(0.01, 0.012, True), (0.01, 0.01, True), (0.0101, 0.01, False)],
)
def test_the_optimal_codebook_must_beat_every_uniform_grid_with_one_scale(
    summary, optimal, uniform, holds
):
    found = summary(
        ("best", 4, optimal),
        ("by_tensor", 4, uniform),
        ("by_tensor", 4, 10.0, {"series": "another"}),
        # Other bits, other tensors and finer scales do not compare.
        ("by_tensor", 5, 1e-6),
        ("by_tensor", 4, 1e-6, {"tensor": "narrow"}),
        ("by_channel", 4, 1e-6),
    ).claims[OPTIMAL]
    assert found.holds == holds
    assert found.value == pytest.approx(optimal / uniform)


def test_the_optimal_codebook_is_judged_by_its_worst_tensor(summary):
    found = summary(
        ("best", 4, 0.01),
        ("by_tensor", 4, 0.02),
        ("best", 4, 0.03, {"tensor": "narrow"}),
        ("by_tensor", 4, 0.02, {"tensor": "narrow"}),
    ).claims[OPTIMAL]
    assert (found.holds, found.value) == (False, pytest.approx(1.5))


@pytest.mark.parametrize(("series", "bits"), [("by_tensor", 4), ("best", 4)])
def test_without_both_of_them_optimal_and_uniform_are_not_compared(summary, series, bits):
    assert verdicts(summary((series, bits, 0.01)))[OPTIMAL] == "not_measured"


@pytest.mark.parametrize(
    ("by_tensor", "by_channel", "holds"),
    [(0.02, 0.01, True), (0.01, 0.02, False), (0.01, 0.01, False), (0.01, None, "not_measured")],
)
def test_a_scale_a_channel_must_have_less_error_than_one_a_tensor(
    summary, by_tensor, by_channel, holds
):
    rows = [("by_tensor", 4, by_tensor), ("by_channel", 3, 0.001)]
    if by_channel is not None:
        rows.append(("by_channel", 4, by_channel))
    found = summary(*rows).claims[CHANNEL]
    assert found.holds == holds
    assert found.value == (None if by_channel is None else pytest.approx(by_tensor / by_channel))


def test_without_measurements_nothing_is_claimed(measurements, settings):
    empty = measurements(("best", 4, 0.01)).iloc[:0]
    found = summarize(summarized_tables(empty), settings, ["noise"], [])
    # What counts as about equal rates is no finding.
    assert {name for name in found.values if not name.startswith(("window.", "kurtosis."))} == set()
    assert set(verdicts(found).values()) == {"not_measured"}
    assert len(found.claims) == 5


def test_the_claims_say_which_bits_they_are_about(measurements, settings):
    other = settings.model_copy(update={"sensitivity_bits": 3})
    rows = measurements(("by_tensor", 3, 0.2), ("by_channel", 3, 0.1))
    found = summarize(summarized_tables(rows), other, [], []).claims[
        "example.channel_beats_tensor_at_3bit"
    ]
    assert (found.holds, found.value) == (True, pytest.approx(2))
    assert "at 3 bits" in found.text


def test_of_a_configured_series_without_rows_it_is_said_that_it_was_not_measured(summary):
    found = summary(("best", 4, 0.01), configured=("best", "peer_nf4", "by_tensor")).claims
    skipped = {name: claim for name, claim in found.items() if name.endswith(".measured")}
    assert skipped.keys() == {"peer_nf4.measured", "by_tensor.measured"}
    assert {claim.holds for claim in skipped.values()} == {"not_measured"}
    assert {claim.value for claim in skipped.values()} == {None}
    assert "codec grid peer_nf4" in skipped["peer_nf4.measured"].text


def test_every_number_is_finite_json(summary):
    text = summary(
        ("best", 4, np.nan, {"gap_shannon_bits": np.nan, "gap_empirical_bits": np.nan}),
        ("by_tensor", 4, np.nan, {"gap_shannon_bits": np.nan, "sqnr_db": math.inf}),
    ).model_dump_json()
    assert json.loads(text, parse_constant=pytest.fail)
