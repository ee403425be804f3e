import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.distinct import Distinct, distinct

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]

any_dtype = pytest.mark.parametrize("dtype", FLOATS)


def agrees_with_numpy(tensor):
    values, counts = np.unique(tensor.double().numpy(), return_counts=True)
    found = distinct(tensor)
    assert found.values.dtype == np.float64
    assert found.counts.dtype == np.int64
    assert np.array_equal(found.values, values)
    assert np.array_equal(found.counts, counts)
    assert found.total == tensor.numel()


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.floats(allow_nan=False, width=16), max_size=50),
    st.sampled_from(FLOATS),
)
def test_values_and_counts_are_those_of_numpy(values, dtype):
    agrees_with_numpy(torch.tensor(values, dtype=torch.float64).to(dtype))


@any_dtype
def test_both_zeros_are_one_value(dtype):
    found = distinct(torch.tensor([0.0, -0.0, 1.0, -0.0, -1.0], dtype=dtype))
    assert found.values.tolist() == [-1, 0, 1]
    assert found.counts.tolist() == [1, 3, 1]


@any_dtype
@pytest.mark.parametrize("shape", [(0,), (0, 3), (7,), (5, 6), (2, 3, 4)])
def test_the_shape_does_not_matter(shape, dtype):
    draws = np.random.default_rng(0).integers(-3, 3, shape)
    agrees_with_numpy(torch.from_numpy(draws).to(dtype))


@any_dtype
def test_many_values_are_counted(dtype):
    # More than are counted at a time.
    draws = np.random.default_rng(1).standard_normal(5_000_000).astype(np.float32)
    agrees_with_numpy(torch.from_numpy(draws).to(dtype))


@any_dtype
def test_views_and_parameters_that_learn_are_taken(dtype):
    matrix = torch.arange(60).reshape(6, 10).to(dtype)
    agrees_with_numpy(matrix.t()[::2])
    found = distinct(matrix.clone().requires_grad_())
    assert found.total == 60


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("mean", [0.0, 1e4])
def test_central_moments_are_those_of_the_weights(mean, order):
    weights = np.random.default_rng(2).standard_t(9, 500).round(1) + mean
    expected = np.mean((weights - weights.mean()) ** order)
    found = distinct(torch.from_numpy(weights)).central_moment(order)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_equal_weights_have_no_variance(seed):
    draws = np.random.default_rng(seed)
    found = Distinct(draws.standard_normal(1), draws.integers(1, 1000, 1))
    assert found.central_moment(2) == 0
