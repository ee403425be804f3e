import json

import numpy as np
import pandas as pd
import pytest

from qatlas.codecs import create
from qatlas.codecs.registry import parameters_of
from qatlas.rate_distortion.findings.front import front_points, front_values
from qatlas.rate_distortion.findings.groups import compare_groups, evenly_spaced, groups_values
from qatlas.rate_distortion.findings.kinds import kinds_values
from qatlas.rate_distortion.findings.kurtosis import kurtosis_values
from qatlas.rate_distortion.findings.rotation import rotation_pairs, rotation_values
from qatlas.rate_distortion.findings.vector import vector_values
from qatlas.rate_distortion.findings.window import window_values


def plain(values):
    return {name: value.value for name, value in values.items()}


@pytest.mark.parametrize(
    ("count", "chosen"),
    [(0, []), (1, [0]), (3, [0, 1, 2]), (6, [0, 1, 2, 3, 4, 5]), (12, [0, 2, 4, 7, 9, 11])],
)
def test_up_to_six_layers_are_evenly_spaced_with_both_ends(count, chosen):
    assert evenly_spaced([*range(count), *range(count)]) == chosen


def group_rows(series, gap, **changes):
    """The series at 4 bits on weights of all three groups."""
    for kind in ("mlp_up", "attention_q", "embedding"):
        layer = None if kind == "embedding" else 0
        row = {"kind": kind, "tensor": kind, "layer": layer, "gap_empirical_bits": gap}
        yield (series, 4, 0.01, row | changes)


def test_each_family_is_compared_by_its_series_of_least_gap(measurements, settings):
    rows = measurements(
        *group_rows("by_tensor", 2.0), *group_rows("by_channel", 0.9), *group_rows("best", 0.7)
    )
    compared = compare_groups(rows, settings)
    assert set(zip(compared.codec, compared.series, strict=True)) == {
        ("uniform", "by_channel"),
        ("lloyd_max", "best"),
    }
    assert sorted(compared.group.unique()) == ["attention_q", "embedding", "mlp"]
    found = plain(groups_values(rows, settings))
    assert found["groups.4bit.lloyd_max.mlp.gap_empirical_bits"] == pytest.approx(0.7)
    assert found["groups.4bit.largest_spread_bits"] == pytest.approx(0)


def test_other_rates_and_attention_other_than_query_are_not_compared(measurements, settings):
    rows = measurements(
        *group_rows("best", 0.7),
        *group_rows("by_tensor", 0.1, rate_bits_per_weight=4.6),
        ("best", 4, 0.01, {"kind": "attention_k", "tensor": "key", "gap_empirical_bits": 9.0}),
    )
    compared = compare_groups(rows, settings)
    assert set(compared.series) == {"best"}
    assert compared.gap_empirical_bits.tolist() == pytest.approx([0.7] * 3)


def test_the_nearest_of_each_kind_is_found_on_its_average(measurements, settings):
    attention = {"kind": "attention_k"}
    rows = measurements(
        ("best", 4, 0.01, attention | {"gap_empirical_bits": 0.2}),
        ("best", 4, 0.01, attention | {"gap_empirical_bits": 0.6, "tensor": "narrow"}),
        ("by_channel", 4, 0.01, attention | {"gap_empirical_bits": 0.3}),
        ("by_channel", 4, 0.01, attention | {"gap_empirical_bits": 0.3, "tensor": "narrow"}),
    )
    found = plain(kinds_values(rows, settings))
    assert found["kinds.attention.4bit.nearest_to_empirical"] == "by_channel"
    assert found["kinds.attention.4bit.nearest_gap_empirical_bits"] == pytest.approx(0.3)
    assert not any("mlp" in name for name in found)


def test_the_front_holds_who_has_least_error_within_a_rate(measurements, settings):
    rows = measurements(
        ("best", 2, 0.1, {"rate_bits_per_weight": 2.001}),
        ("by_tensor", 2, 0.2, {"rate_bits_per_weight": 2.0}),
        ("by_channel", 3, 0.15, {"rate_bits_per_weight": 3.0}),
        ("by_channel", 4, 0.01, {"rate_bits_per_weight": 4.0, "tensor": "narrow"}),
    )
    points = front_points(rows, settings)
    example = points[points.scope == "example"]
    assert example[example.front].series.tolist() == ["best"]
    found = plain(front_values(rows, settings))
    assert found["front.example.2bit.series"] == "best"
    assert found["front.example.4bit.series"] == "best"
    assert found["front.model.4bit.series"] == "by_channel"
    assert (found["front.example.points"], found["front.model.points"]) == (3, 4)


def rotated(bits, granularity, nmse, **changes):
    """A rotated point whose inner parameters are given only in part, as in a configuration."""
    inner = {"codec": "uniform", "bits": bits, "granularity": granularity}
    parameters = json.dumps({"inner": inner, "seed": 0, "side": "input"}, sort_keys=True)
    wrapped = {"codec": "rotate", "series": "rotated", "parameters": parameters}
    return ("by_channel", bits, nmse, wrapped | changes)


def as_it_is(bits, nmse, **changes):
    codec = create("uniform", bits=bits, granularity="channel")
    return ("by_channel", bits, nmse, {"parameters": parameters_of(codec)} | changes)


def test_rotated_points_stand_beside_those_they_wrap(measurements, rotation):
    rows = measurements(
        rotated(4, "channel", 0.01),
        as_it_is(4, 0.1),
        as_it_is(3, 0.3),
        rotated(4, "tensor", 0.02),
        rotated(4, "channel", 0.01, tensor="third"),
        as_it_is(4, 0.02, tensor="third"),
    )
    pairs = rotation_pairs(rows, rotation).set_index("tensor")
    assert pairs.gain_db.to_dict() == {
        "wide": pytest.approx(10),
        "third": pytest.approx(10 * np.log10(2)),
    }
    assert pairs["kurtosis"].to_dict() == {"wide": 3.0, "third": 30.0}
    found = plain(rotation_values(rows, rotation))
    assert found == {
        "rotation.light_tailed.median_gain_db": pytest.approx(10),
        "rotation.heavy_tailed.median_gain_db": pytest.approx(10 * np.log10(2)),
    }


def test_nothing_rotated_gives_no_values(measurements, rotation):
    assert rotation_values(measurements(as_it_is(4, 0.1)), rotation) == {}


def test_gaps_are_told_for_light_and_for_heavy_tails(measurements, rotation, settings):
    rows = measurements(
        ("by_tensor", 4, 0.1, {"gap_shannon_bits": 1.0}),
        ("by_channel", 4, 0.1, {"gap_shannon_bits": 0.8}),
        ("by_tensor", 4, 0.1, {"gap_shannon_bits": 3.0, "tensor": "third"}),
        ("by_channel", 4, 0.1, {"gap_shannon_bits": 0.9, "tensor": "third"}),
        ("by_tensor", 3, 0.1, {"gap_shannon_bits": 9.0}),
    )
    found = plain(kurtosis_values(rows, rotation, settings))
    assert found == {
        "kurtosis.heavy_tailed_above": 6.0,
        "kurtosis.by_tensor.light_tailed.median_gap_shannon_bits": 1.0,
        "kurtosis.by_tensor.heavy_tailed.median_gap_shannon_bits": 3.0,
        "kurtosis.uniform.light_tailed.median_gap_shannon_bits": 0.8,
        "kurtosis.uniform.heavy_tailed.median_gap_shannon_bits": 0.9,
    }


def test_vectors_and_scalars_have_each_their_nearest(measurements, settings):
    vector = {"codec": "vector", "series": "vector_d4", "gap_empirical_bits": 0.2}
    rows = measurements(
        ("best", 2, 0.1, vector),
        ("best", 2, 0.1, {"gap_empirical_bits": 0.4}),
        ("best", 2, 0.1, {"codec": "formats", "gap_empirical_bits": 0.1}),
    )
    found = plain(vector_values(rows, settings))
    assert found["example.vector.2bit.nearest_to_empirical"] == "vector_d4"
    assert found["example.scalar.2bit.nearest_to_empirical"] == "best"


def test_the_window_is_told_for_the_configured_bits_too(settings):
    found = plain(window_values(settings.model_copy(update={"sensitivity_bits": 6})))
    assert found["window.6bit.low"] == 5.5
    assert found["window.4bit.high"] == 4.5
    assert len(found) == 8


def test_no_rows_give_no_findings(measurements, rotation, settings):
    empty: pd.DataFrame = measurements(("best", 4, 0.01)).iloc[:0]
    for values in (groups_values, kinds_values, front_values, vector_values):
        assert values(empty, settings) == {}
