import json
import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qatlas.config.rate_distortion import Allocation
from qatlas.errors import AtlasError
from qatlas.rate_distortion.allocation import (
    WEIGHTINGS,
    allocate,
    candidates,
    lowest_rate,
    plans,
    variances,
)
from qatlas.rate_distortion.allocation_summary import allocation_claims, allocation_values
from qatlas.rate_distortion.schema import ALLOCATION_TOTALS, ALLOCATIONS
from qatlas.tables import read_table, write_table

SIZES = {"wide": 1000, "narrow": 104, "middle": 400}
VARIANCES = {"wide": 2.0, "narrow": 0.5, "middle": 8.0}
CLAIM = "allocation.no_more_error_than_uniform"


def point(tensor, series, bits, nmse, changes=None):
    """One measured point, with the columns that planning reads; whole bytes are stored."""
    return {
        "model": "bert",
        "tensor": tensor,
        "kind": "linear",
        "layer": None,
        "codec": "uniform",
        "series": series,
        "parameters": json.dumps({"bits": bits}),
        "weights": SIZES[tensor],
        "rate_bits_per_weight": 8 * math.ceil(bits * SIZES[tensor] / 8 + 2) / SIZES[tensor],
        "mse": nmse * VARIANCES[tensor],
        "nmse": nmse,
    } | (changes or {})


def a_curve(tensors=SIZES, bits=(2, 3, 4, 5), series="gaussian"):
    """Every bit divides the error by four, the same on all tensors."""
    return [point(tensor, series, b, 4.0**-b) for tensor in tensors for b in bits]


def settings_of(*budgets, **others):
    return Allocation(budgets=budgets, shown_budget=budgets[0], **others)


def planned(rows, *budgets, **others):
    """The two tables, as they are written and read."""
    made = allocate(pd.DataFrame(rows), ["bert"], settings_of(*budgets, **others))
    return pd.DataFrame(made.allocations), pd.DataFrame(made.totals)


def totals_of(totals, plan, weighting="plain"):
    rows = totals[(totals.plan == plan) & (totals.weighting == weighting)]
    return rows.set_index("budget_bits_per_weight")


@st.composite
def measured(draw):
    """Points of up to four codecs on three tensors; a codec may be missing on some."""
    rows = []
    for place in range(draw(st.integers(1, 4))):
        for tensor in SIZES:
            if place == 0 or draw(st.booleans()):
                bits, error = draw(st.integers(1, 6)), draw(st.floats(1e-4, 1))
                rows.append(point(tensor, f"series_{place}", bits, error))
    return rows


def squared_errors(rows, weighting):
    return [row["weights"] * (row["mse"] if weighting == "plain" else row["nmse"]) for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(measured(), st.floats(0, 6), st.sampled_from(sorted(WEIGHTINGS)))
def test_the_plan_has_the_least_error_of_all_within_the_budget(rows, more, weighting):
    frame = pd.DataFrame(rows)
    found = candidates(frame, WEIGHTINGS[weighting](variances(frame)))
    budget = lowest_rate(found) + 1e-9 + more
    made = plans(found, budget)
    per_tensor = [[row for row in rows if row["tensor"] == tensor] for tensor in SIZES]
    allowed = [
        math.fsum(squared_errors(choice, weighting))
        for choice in product(*per_tensor)
        if sum(r["rate_bits_per_weight"] * r["weights"] for r in choice)
        <= budget * sum(SIZES.values())
    ]
    assert math.fsum(made.allocated.distortion) == pytest.approx(min(allowed))
    assert made.lower_bound == pytest.approx(min(allowed))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(measured(), st.floats(0, 6))
def test_the_uniform_plan_is_the_best_codec_that_all_tensors_have(rows, more):
    frame = pd.DataFrame(rows)
    found = candidates(frame, dict.fromkeys(SIZES, 1.0))
    budget = lowest_rate(found) + 1e-9 + more
    uniform = plans(found, budget).uniform
    shared = {}
    for _, same in frame.groupby(["series", "parameters"]):
        bits = (same.rate_bits_per_weight * same.weights).sum()
        if len(same) == len(SIZES) and bits <= budget * sum(SIZES.values()):
            shared[same.series.iloc[0]] = (same.weights * same.mse).sum()
    if not shared:
        assert uniform is None
    else:
        assert uniform.series.nunique() == uniform.parameters.nunique() == 1
        assert math.fsum(uniform.distortion) == pytest.approx(min(shared.values()))


def test_the_tables_fit_their_schemas(tmp_path):
    rows = a_curve()
    made = allocate(pd.DataFrame(rows), ["bert"], settings_of(3.0, 3.5, 4.5))
    write_table(made.allocations, ALLOCATIONS, tmp_path / "allocations.parquet")
    write_table(made.totals, ALLOCATION_TOTALS, tmp_path / "totals.parquet")
    allocations = read_table(ALLOCATIONS, tmp_path / "allocations.parquet")
    key = ["budget_bits_per_weight", "weighting", "tensor"]
    assert len(allocations) == len(allocations.drop_duplicates(key)) == 3 * 2 * len(SIZES)
    totals = read_table(ALLOCATION_TOTALS, tmp_path / "totals.parquet")
    assert totals[totals.plan == "allocated"].series.isna().all()
    assert set(totals[totals.plan == "uniform"].series) == {"gaussian"}


def test_a_budget_is_never_exceeded_and_the_rate_is_that_of_the_tensors():
    budgets = np.round(np.arange(2.2, 5.5, 0.1), 1).tolist()
    allocations, totals = planned(a_curve(), *budgets)
    allocations = allocations.assign(bits=allocations.weights * allocations.rate_bits_per_weight)
    key = ["budget_bits_per_weight", "weighting"]
    sums = allocations.groupby(key)[["bits", "weights"]].sum()
    rate = totals[totals.plan == "allocated"].set_index(key).rate_bits_per_weight
    assert rate.to_dict() == pytest.approx((sums.bits / sums.weights).to_dict())
    assert (totals.rate_bits_per_weight <= totals.budget_bits_per_weight).all()
    assert (rate - 2.02).max() > 2.9


def test_a_budget_that_one_codec_meets_exactly_is_enough_for_it():
    rows = [point(t, "exact", 4, 0.01, {"rate_bits_per_weight": 4.0}) for t in SIZES]
    _, totals = planned(rows, 4.0)
    assert totals.rate_bits_per_weight.tolist() == [4.0] * 4


def test_plain_gives_bits_to_large_variances_and_normalised_treats_all_alike():
    sizes = {"narrow": 400, "middle": 400}
    rows = [
        point(t, "gaussian", b, 4.0**-b, {"weights": size, "rate_bits_per_weight": float(b)})
        for t, size in sizes.items()
        for b in (1, 2, 3, 4, 5)
    ]
    allocations, _ = planned(rows, 3.0)
    given_bits = allocations.set_index(["weighting", "tensor"]).rate_bits_per_weight
    # Variances of 1 and 16 times a half differ by two bits: water-filling puts one to each side.
    assert given_bits["plain"].to_dict() == {"narrow": 2.0, "middle": 4.0}
    assert given_bits["normalised"].to_dict() == {"narrow": 3.0, "middle": 3.0}


def test_totals_are_errors_over_what_no_bits_at_all_would_lose():
    _, totals = planned(a_curve(bits=(3,)), 4.0)
    assert totals.nmse.tolist() == pytest.approx([1 / 64] * 4)
    energy = sum(SIZES[t] * VARIANCES[t] for t in SIZES)
    assert totals_of(totals, "uniform").distortion[4.0] == pytest.approx(energy / 64)
    normalised = totals_of(totals, "uniform", "normalised")
    assert normalised.distortion[4.0] == pytest.approx(sum(SIZES.values()) / 64)
    assert (totals.weights == sum(SIZES.values())).all()


def test_sensitivities_decide_who_gets_the_bits():
    frame = pd.DataFrame(a_curve(bits=(2, 6)))
    budget = (2 * sum(SIZES.values()) + 5 * SIZES["middle"]) / sum(SIZES.values())
    for favourite in ("narrow", "middle"):
        sensitivity = dict.fromkeys(SIZES, 1.0) | {favourite: 1e6}
        chosen = plans(candidates(frame, sensitivity), budget).allocated.set_index("tensor")
        assert chosen.rate_bits_per_weight[favourite] > 5
    ignored = candidates(frame, dict.fromkeys(SIZES, 1.0) | {"wide": 0.0})
    chosen = plans(ignored, 7.0).allocated.set_index("tensor")
    assert chosen.rate_bits_per_weight["wide"] < 3


@pytest.mark.parametrize("wrong", [None, -1.0, math.nan, math.inf])
def test_a_sensitivity_must_be_a_finite_number_for_every_tensor(wrong):
    sensitivity = {tensor: 1.0 for tensor in SIZES if tensor != "narrow" or wrong is not None}
    if wrong is not None:
        sensitivity["narrow"] = wrong
    with pytest.raises(AtlasError, match=f"tensor narrow: found {wrong}; give a finite number"):
        candidates(pd.DataFrame(a_curve()), sensitivity)


def test_a_series_that_is_not_measured_on_all_tensors_serves_those_it_was_measured_on():
    rows = [*a_curve(), *(point("wide", "partial", b, 4.0**-b / 50) for b in (2, 3))]
    allocations, totals = planned(rows, 3.5)
    assert set(allocations[allocations.tensor == "wide"].series) == {"partial"}
    assert set(totals.series.dropna()) == {"gaussian"}


def test_without_a_codec_for_all_within_the_budget_there_is_no_uniform_plan():
    cheap = [point("wide", "cheap", 1, 0.3)]
    _, totals = planned([*a_curve(bits=(2,)), *cheap], 1.9, 2.5)
    assert totals_of(totals, "uniform").index.tolist() == [2.5]
    assert totals_of(totals, "allocated").index.tolist() == [1.9, 2.5]


def test_only_the_series_of_the_configuration_are_chosen_from():
    rows = [*a_curve(), *((point(t, "better", 3, 1e-9)) for t in SIZES)]
    for series, expected in (((), {"better"}), (("gaussian",), {"gaussian"})):
        allocations, totals = planned(rows, 3.5, series=series)
        assert set(allocations.series) == set(totals.series.dropna()) == expected


def test_other_models_do_not_count():
    stranger = [row | {"model": "noise", "mse": 0.0} for row in a_curve()]
    with_it, without = planned([*a_curve(), *stranger], 3.5), planned(a_curve(), 3.5)
    for one, other in zip(with_it, without, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_every_model_is_planned_for_itself():
    smaller = [row | {"model": "small"} for row in a_curve(("narrow", "middle"))]
    rows = pd.DataFrame([*a_curve(), *smaller])
    both = pd.DataFrame(allocate(rows, ["small", "bert"], settings_of(3.5)).allocations)
    assert both.groupby("model").tensor.nunique().to_dict() == {"small": 2, "bert": 3}
    alone = planned(a_curve(), 3.5)[0]
    pd.testing.assert_frame_equal(both[both.model == "bert"].reset_index(drop=True), alone)


def test_the_order_of_the_measurements_does_not_matter():
    rows = [*a_curve(), *a_curve(series="same")]
    expected = planned(rows, 2.7, 3.5)
    for one, other in zip(planned(rows[::-1], 2.7, 3.5), expected, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_weights_that_are_all_equal_count_nothing_where_errors_are_relative():
    constant = [
        point("narrow", "gaussian", b, math.nan, {"mse": 0.0 if b > 2 else 0.1}) for b in (2, 3)
    ]
    rows = [*a_curve(("wide", "middle")), *constant]
    assert variances(pd.DataFrame(rows)).to_dict() == pytest.approx(VARIANCES | {"narrow": 0})
    allocations, totals = planned(rows, 5.5)
    bits = allocations[allocations.tensor == "narrow"].set_index("weighting").parameters
    assert bits.to_dict() == {"plain": '{"bits": 3}', "normalised": '{"bits": 2}'}
    assert totals.nmse.notna().all()


def test_a_budget_below_the_cheapest_plan_is_refused_with_the_least_that_is_possible():
    with pytest.raises(AtlasError) as refused:
        planned(a_curve(), 1.5, 4.0)
    message = str(refused.value)
    assert message.startswith("rate_distortion.allocation.budgets: found 1.5 bits per weight")
    assert "bert" in message
    lowest = float(message.split("takes ")[1].split(";")[0])
    planned(a_curve(), lowest)
    with pytest.raises(AtlasError):
        planned(a_curve(), lowest - 2e-4)


def test_a_tensor_without_a_point_of_the_chosen_series_is_named():
    rows = [*a_curve(("wide", "middle"), series="half"), *a_curve()]
    message = "rate_distortion.allocation.series: narrow of bert .* none of half; name another"
    with pytest.raises(AtlasError, match=message):
        planned(rows, 3.5, series=("half",))


def total(plan, distortion, bound=None, **changes):
    return {
        "model": "bert",
        "budget_bits_per_weight": 3.5,
        "weighting": "plain",
        "plan": plan,
        "codec": None if plan == "allocated" else "uniform",
        "series": None if plan == "allocated" else "best",
        "parameters": None if plan == "allocated" else "{}",
        "weights": 100,
        "rate_bits_per_weight": 3.4,
        "distortion": distortion,
        "distortion_lower_bound": distortion if bound is None else bound,
        "nmse": distortion / 1000,
    } | changes


def test_the_summary_gives_gains_in_decibels_and_how_near_to_the_bound_they_are():
    found = allocation_values(
        pd.DataFrame(
            [
                total("allocated", 10.0, 5.0),
                total("uniform", 100.0, 5.0, rate_bits_per_weight=3.0),
                total("allocated", 1.0, budget_bits_per_weight=5.0),
                total("uniform", 1.0, budget_bits_per_weight=5.0),
            ]
        )
    )
    values = {name: value.value for name, value in found.items()}
    at = "allocation.bert.plain.3.5bit"
    assert values[f"{at}.gain_db"] == pytest.approx(10)
    assert values[f"{at}.above_lower_bound_db"] == pytest.approx(10 * math.log10(2))
    assert values[f"{at}.uniform_series"] == "best"
    assert (values[f"{at}.uniform_rate"], values[f"{at}.allocated_rate"]) == (3.0, 3.4)
    assert values[f"{at}.uniform_nmse"] == pytest.approx(0.1)
    assert values["allocation.bert.plain.smallest_gain_db"] == 0
    assert values["allocation.bert.plain.largest_gain_db"] == pytest.approx(10)
    assert {value.origin for value in found.values()} == {
        "rate_distortion/tables/allocation_totals.parquet"
    }


def test_a_gain_is_undefined_without_a_uniform_plan_and_where_nothing_is_lost():
    found = allocation_values(
        pd.DataFrame(
            [
                total("allocated", 10.0),
                total("allocated", 0.0, budget_bits_per_weight=9.0, nmse=math.nan),
                total("uniform", 0.0, budget_bits_per_weight=9.0, nmse=math.nan),
            ]
        )
    )
    assert found["allocation.bert.plain.3.5bit.gain_db"].value is None
    assert "allocation.bert.plain.3.5bit.uniform_rate" not in found
    assert found["allocation.bert.plain.9bit.gain_db"].value is None
    assert found["allocation.bert.plain.9bit.uniform_nmse"].value is None
    assert found["allocation.bert.plain.largest_gain_db"].value is None


@pytest.mark.parametrize(
    ("allocated", "uniform", "holds"),
    [
        ([1.0, 2.0], [1.0, 3.0], True),
        ([1.0, 3.1], [1.0, 3.0], False),
        ([1.0, 0.0], [1.0, 0.0], True),
        ([1.0], [], "not_measured"),
    ],
)
def test_the_claim_is_judged_by_the_worst_budget(allocated, uniform, holds):
    rows = [
        total(plan, distortion, budget_bits_per_weight=3.0 + place)
        for plan, distortions in (("allocated", allocated), ("uniform", uniform))
        for place, distortion in enumerate(distortions)
    ]
    found = allocation_claims(pd.DataFrame(rows))[CLAIM]
    assert found.holds == holds
    if holds != "not_measured":
        assert found.value == max(a / u for a, u in zip(allocated, uniform, strict=True) if u)
