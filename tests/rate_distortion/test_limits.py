import numpy as np
import pandas as pd
import pytest
import torch

from qatlas.rate_distortion.limits import limits
from qatlas.rate_distortion.schema import BOUNDS
from qatlas.tables import write_table
from qatlas.weights.matrices import Matrix

GAUSSIAN_ENTROPY_BITS = 0.5 * np.log2(2 * np.pi * np.e)


def matrix(weights):
    return Matrix("bert", "wide", "linear", 1, torch.from_numpy(np.asarray(weights)))


def table(weights, entropy_bits=0.0):
    return pd.DataFrame(limits(matrix(weights), entropy_bits))


@pytest.fixture(scope="module")
def gaussian():
    """Limits of a Gaussian of deviation 3, and so of log2 3 bits more entropy."""
    draws = 3 * np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    return table(draws, GAUSSIAN_ENTROPY_BITS + np.log2(3))


def test_rows_fit_their_schema(gaussian, tmp_path):
    write_table(gaussian, BOUNDS, tmp_path / "bounds.parquet")
    assert set(gaussian.model + gaussian.tensor + gaussian.kind) == {"bertwidelinear"}


def test_the_curve_falls_from_all_the_variance_at_no_bits(gaussian):
    assert gaussian.nmse.is_monotonic_increasing
    assert gaussian.empirical_bits.is_monotonic_decreasing
    last = gaussian.iloc[-1]
    assert (last.nmse, last.empirical_bits, last.shannon_bits) == pytest.approx((1, 0, 0), abs=1e-9)


def test_on_a_gaussian_all_limits_agree(gaussian):
    high = gaussian[gaussian.nmse.between(0.004, 0.9)]
    assert len(high) >= 3
    assert high.shannon_bits.tolist() == pytest.approx(-0.5 * np.log2(high.nmse))
    assert high.empirical_bits.tolist() == pytest.approx(high.shannon_bits.tolist(), abs=0.01)
    assert high.shannon_lower_bits.tolist() == pytest.approx(high.shannon_bits.tolist(), abs=0.01)


def test_a_source_with_little_entropy_has_a_lower_curve():
    uniform = np.random.default_rng(1).random((200, 200)).astype(np.float32)
    found = table(uniform, entropy_bits=0.0)
    high = found[found.nmse.between(0.001, 0.1)]
    assert (high.empirical_bits < high.shannon_bits).all()
    assert (high.empirical_bits >= high.shannon_lower_bits - 0.02).all()


def test_few_values_reach_their_entropy_where_a_continuous_source_has_no_limit(tmp_path):
    found = table(np.array([[0.0, 1.0, 1.0, 2.0], [1.0, 0.0, 2.0, 1.0]]))
    write_table(found, BOUNDS, tmp_path / "bounds.parquet")
    assert found.nmse[0] == 0
    assert found.empirical_bits[0] == pytest.approx(1.5)
    assert np.isnan(found.shannon_bits[0])
    assert np.isnan(found.shannon_lower_bits[0])
    assert found.shannon_bits[1:].notna().all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -0.7])
def test_equal_weights_have_no_limits(value, dtype):
    for size in range(1, 20):
        assert limits(matrix(np.full((size, 3), value, dtype)), 0.0) == []


def test_channels_of_two_deviations_need_the_mean_of_their_rates():
    deviations = np.repeat([[1.0], [8.0]], 64, axis=0)
    weights = deviations * np.random.default_rng(3).standard_normal((128, 256))
    found = table(weights.astype(np.float32))
    high = found[found.nmse.between(1e-4, 0.01)]
    variance = np.mean(deviations**2)
    expected = np.mean(np.log2(deviations)) - 0.5 * np.log2(high.nmse * variance)
    assert high.channel_variance_bits.tolist() == pytest.approx(expected.tolist(), abs=0.01)
    assert high.group_variance_bits.tolist() == pytest.approx(expected.tolist(), abs=0.02)
    # What is told of 128 weights is a little more than what is told of 256.
    assert (high.group_variance_bits < high.channel_variance_bits).all()
    assert (high.channel_variance_bits < high.shannon_bits).all()


def test_groups_that_do_not_fill_a_channel_have_no_limit():
    weights = np.random.default_rng(3).standard_normal((40, 100)).astype(np.float32)
    found = table(weights)
    assert found.group_variance_bits.isna().all()
    assert found.channel_variance_bits.notna().all()
