import numpy as np
import pandas as pd
import pytest

from qatlas.rate_distortion.averages import LIMITS, mean_limits, mean_points


def test_points_are_weighted_by_the_size_of_tensors(measurements):
    rows = measurements(
        ("best", 4, 0.01, {"weights": 300, "rate_bits_per_weight": 4.0}),
        ("best", 4, 0.05, {"tensor": "narrow", "rate_bits_per_weight": 4.4}),
        ("best", 3, 0.2),
        ("best", 3, np.nan, {"tensor": "constant"}),
    )
    means = mean_points(rows, ["model"]).set_index("nominal_bits")
    assert means.nmse.to_dict() == {3: pytest.approx(0.2), 4: pytest.approx(0.02)}
    assert means.rate_bits_per_weight[4] == pytest.approx(4.1)
    assert means.tensors.to_dict() == {3: 1, 4: 2}


def test_a_mean_is_missing_where_one_tensor_has_no_value(measurements):
    rows = measurements(
        ("best", 4, 0.01),
        ("best", 4, 0.05, {"tensor": "narrow", "gap_empirical_bits": np.nan}),
    )
    (mean,) = mean_points(rows, ["model"]).itertuples()
    assert np.isnan(mean.gap_empirical_bits)
    assert mean.gap_shannon_bits == pytest.approx(0.5)


def test_means_do_not_depend_on_the_order_of_rows(measurements):
    errors = np.random.default_rng(3).random(40)
    rows = measurements(*(("best", 4, e, {"tensor": f"t{i}"}) for i, e in enumerate(errors)))
    shuffled = rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(mean_points(rows, ["model"]), mean_points(shuffled, ["model"]))


def bounds_of(tensor, gain_bits, deepest):
    nmse = np.geomspace(1, deepest, 20)
    bits = -0.5 * np.log2(nmse)
    rate = np.maximum(bits - gain_bits, 0)
    limits = dict.fromkeys(LIMITS, rate) | {"shannon_bits": bits}
    return pd.DataFrame({"model": "bert", "tensor": tensor, "nmse": nmse} | limits)


TENSORS = pd.DataFrame(
    {"model": "bert", "tensor": ["a", "b"], "weights": [300, 100], "group": "mlp"}
)


def test_the_mean_of_gaussian_limits_is_the_gaussian_limit():
    bounds = pd.concat([bounds_of("a", 0, 1e-4), bounds_of("b", 0, 1e-3)])
    means = mean_limits(bounds, TENSORS, ["group"])
    shannon = means[means.series == "shannon_bits"]
    assert shannon.nmse.to_numpy() == pytest.approx(4.0**-shannon.rate_bits_per_weight)
    # As far down as both are known.
    deepest = -0.5 * np.log2(1e-3)
    assert deepest - 0.125 < shannon.rate_bits_per_weight.max() <= deepest


def test_limits_are_averaged_at_equal_rates():
    bounds = pd.concat([bounds_of("a", 0, 1e-4), bounds_of("b", 0.5, 1e-4)])
    means = mean_limits(bounds, TENSORS, ["group"]).set_index(["series", "rate_bits_per_weight"])
    assert means.nmse["empirical_bits", 3.0] == pytest.approx((3 * 4.0**-3 + 4.0**-3.5) / 4)
    assert set(means.group) == {"mlp"}


def test_tensors_without_limits_give_none():
    bounds = bounds_of("elsewhere", 0, 1e-3)
    assert mean_limits(bounds, TENSORS, ["group"]).empty
