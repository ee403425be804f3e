"""Checks of ResNet-BK and Mamba, the summary, and what is printed of them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.function.robustness.claims import CHECKS, robustness_claims
from qatlas.function.robustness.names import (
    bits_of_precision,
    model_title,
    number_text,
    precision_name,
)
from qatlas.function.robustness.report import table_text
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.function.robustness.simulation import simulated
from qatlas.function.robustness.summary import robustness_summary, robustness_values
from qatlas.summary import read_summary, write_summary
from tests.function.robustness_rows import realistic, rows_of, seeds_of

SETTINGS = RobustnessSettings()


def judged(resnet_bk, mamba, names=("resnet_bk", "mamba")):
    rows = rows_of(dict(zip(names, (resnet_bk, mamba), strict=True)))
    claims = robustness_claims(rows, SETTINGS)
    return {name.rpartition(".")[2]: its for name, its in claims.items()}


@pytest.mark.parametrize(
    ("name", "resnet_bk", "mamba", "value", "holds"),
    [
        ("req_7_2", {32: 100, 8: 104.9}, {}, 4.9, True),
        ("req_7_2", {32: 100, 8: 105}, {}, 5, False),
        ("req_7_6", {32: 100, 4: 114.9}, {}, 14.9, True),
        ("req_7_6", {32: 100, 4: 115}, {}, 15, False),
        ("req_7_8", {32: 100, 8: 102}, {32: 50, 8: 56}, 10, True),
        ("req_7_8", {32: 100, 8: 102}, {32: 50, 8: 55.9}, 9.8, False),
        ("req_7_9", {4: 40}, {4: 160}, 4, True),
        ("req_7_9", {4: 40}, {4: 159}, 3.975, False),
        ("req_8_6", {4: 49.9}, {}, 49.9, True),
        ("req_8_6", {4: 50}, {}, 50, False),
        ("req_8_7", {}, {4: 200.1}, 200.1, True),
        ("req_8_7", {}, {4: 200}, 200, False),
    ],
)
def test_a_check_holds_on_one_side_of_its_threshold(name, resnet_bk, mamba, value, holds):
    found = judged(resnet_bk, mamba)[name]
    assert found.value == pytest.approx(value)
    assert found.holds is holds


@pytest.mark.parametrize("name", [name.rpartition(".")[2] for name in CHECKS])
def test_without_its_numbers_a_check_is_not_measured(name):
    assert judged({32: 30}, {32: 30})[name].holds == "not_measured"


def test_spellings_of_a_model_are_one():
    numbers = {32: 30, 8: 31, 4: 34}, {32: 32, 8: 38, 4: 211}
    assert judged(*numbers, names=("ResNet-BK", "Mamba")) == judged(*numbers)
    assert judged(*numbers, names=("resnetbk", "MAMBA")) == judged(*numbers)


def test_checks_are_of_the_shown_line_and_of_means_over_seeds():
    other_line = rows_of({"resnet_bk": {32: 30, 4: 1000}}, "by_tensor")
    rows = pd.concat([seeds_of("resnet_bk", b32=[30, 30], b4=[40, 58]), other_line])
    found = robustness_claims(rows, SETTINGS)["robustness.req_8_6"]
    assert found.value == pytest.approx(49)
    assert found.holds is True


def test_an_infinite_perplexity_fails_or_holds_and_survives_json(tmp_path):
    rows = rows_of({"resnet_bk": {32: 30, 8: 30, 4: np.inf}, "mamba": {32: 30, 4: np.inf}})
    summary = robustness_summary(rows, SETTINGS)
    write_summary(summary, tmp_path / "summary.json")
    found = read_summary(tmp_path / "summary.json").claims
    assert found["robustness.req_8_6"].holds is False
    assert found["robustness.req_8_7"].holds is True
    assert found["robustness.req_7_9"].holds == "not_measured"
    text = table_text(rows, SETTINGS, found)
    assert text == table_text(rows, SETTINGS, summary.claims)
    assert "infinite" in next(line for line in text.splitlines() if "req_8_6" in line)


def test_values_have_the_means_and_an_interval_of_a_standard_deviation():
    rows = seeds_of("resnet_bk", b32=[30, 32], b4=[40, 44])
    values = robustness_values(rows, SETTINGS)
    found = values["robustness.resnet_bk.by_channel.4bit.perplexity"]
    spread = math.sqrt(8)
    assert (found.value, found.low, found.high) == pytest.approx((42, 42 - spread, 42 + spread))
    degradation = values["robustness.resnet_bk.by_channel.4bit.degradation_percent"]
    assert degradation.value == pytest.approx(100 * 11 / 31)
    assert values["robustness.resnet_bk.by_channel.4bit.deployable"].value == "yes"


def test_a_single_seed_has_no_interval():
    values = robustness_values(rows_of({"mamba": {32: 30}}), SETTINGS)
    found = values["robustness.mamba.by_channel.32bit.perplexity"]
    assert (found.value, found.low, found.high) == (30, None, None)


def test_a_summary_has_every_test_between_models(tmp_path):
    summary = robustness_summary(realistic(), SETTINGS)
    names = [name for name in summary.values if name.endswith(".p_value")]
    assert len(names) == 3 * 4 * 4
    found = summary["robustness.gptq.4bit.resnet_bk_against_mamba.p_value"].value
    assert 0 < found < 1
    write_summary(summary, tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == summary


@pytest.mark.parametrize(
    ("source", "expected"),
    [("measured", "measured"), ("imported", "measured"), ("simulated", "simulated")],
)
def test_a_summary_says_what_is_simulated(source, expected):
    rows = rows_of({"mamba": {32: 30}}, source=source)
    assert robustness_summary(rows, SETTINGS).source == expected


def test_names_with_spaces_and_dots_become_names_of_values():
    rows = rows_of({"Mamba 1.4B": {32: 30}}, line="per channel")
    values = robustness_summary(rows, SETTINGS).values
    assert "robustness.Mamba_1_4B.per_channel.32bit.perplexity" in values


def test_the_printed_table_is_aligned_and_has_every_number_and_check():
    rows = seeds_of("resnet_bk", b32=[30, 32], b8=[31, 33], b4=[60, 80])
    text = table_text(rows, SETTINGS, robustness_claims(rows, SETTINGS))
    assert (
        text
        == """\
Perplexity by precision, line by channel (measured)

model      precision     perplexity  degradation  deployable
ResNet-BK  fp32        31.00 ± 1.41        0.0 %         yes
           int8        32.00 ± 1.41        3.2 %         yes
           int4       70.00 ± 14.14      125.8 %          no

deployable: perplexity at most 100 and at most 2 times that of fp32
perplexity: mean over training seeds, ± standard deviation where there are several

check    verdict          value  threshold
req_7_2  holds           3.23 %  < 5 %        At int8 the perplexity of ResNet-BK degrades by \
less than 5 %
req_7_6  fails         125.81 %  < 15 %       At int4 the perplexity of ResNet-BK degrades by \
less than 15 %
req_7_8  not measured         -  ≥ 10 points  At int8 ResNet-BK degrades by at least 10 \
percentage points less than Mamba
req_7_9  not measured         -  ≥ 4          At int4 the perplexity of Mamba is at least 4 \
times that of ResNet-BK
req_8_6  fails            70.00  < 50         At int4 the perplexity of ResNet-BK is below 50
req_8_7  not measured         -  > 200        At int4 the perplexity of Mamba is above 200
"""
    )


def test_the_printed_table_says_that_numbers_are_simulated():
    rows = simulated()
    first = table_text(rows, SETTINGS, robustness_claims(rows, SETTINGS)).splitlines()[0]
    assert "SIMULATED" in first


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (30.248, "30.25"),
        (999.994, "999.99"),
        (45_755.4, "45755"),
        (1.234e6, "1.23e+06"),
        (-0.94, "-0.94"),
        (math.inf, "infinite"),
        (math.nan, "-"),
    ],
)
def test_numbers_are_written_as_long_as_they_are_worth(value, text):
    assert number_text(value) == text


@given(st.integers(1, 64))
def test_the_name_of_a_precision_says_its_bits(bits):
    assert bits_of_precision(precision_name(bits)) == bits


@pytest.mark.parametrize(
    ("name", "bits"),
    [("fp32", 32), ("fp16", 16), ("bf16", 16), ("int8", 8), ("int3", 3), ("int32", 32)],
)
def test_known_precisions(name, bits):
    assert bits_of_precision(name) == bits


@pytest.mark.parametrize("name", ["q8", "int", "int0", "int-4", "FP32", "int8 ", ""])
def test_other_names_are_no_precisions(name):
    assert bits_of_precision(name) is None


def test_titles_of_models():
    assert [model_title(name) for name in ("resnetbk", "MAMBA", "my_model")] == [
        "ResNet-BK",
        "Mamba",
        "my model",
    ]
