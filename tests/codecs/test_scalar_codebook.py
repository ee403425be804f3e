from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from qatlas.codecs.scalar.codebook import (
    EXACT_POINTS,
    codebook_of_sorted,
    histogram,
    least_error,
    optimal_codebook,
)
from qatlas.codecs.scalar.partition import group_means, optimal_partition


def error_of(values, codebook) -> float:
    nearest = codebook[np.searchsorted((codebook[:-1] + codebook[1:]) / 2, values)]
    return float(np.sum((values - nearest) ** 2))


def least(values, levels) -> float:
    """Error of the optimum over all weights, however many."""
    values = values.astype(np.float64)
    masses = np.ones(values.size)
    return error_of(values, group_means(values, masses, optimal_partition(values, masses, levels)))


def two_modes(generator, size):
    return generator.standard_normal(size) + 50 * generator.integers(0, 2, size)


def with_outliers(generator, size):
    return np.append(generator.standard_normal(size), [-1e6, 2e5, 2.1e5])


def half_zero(generator, size):
    return generator.standard_normal(size) * generator.integers(0, 2, size)


SOURCES = {
    "normal": np.random.Generator.standard_normal,
    "student": lambda generator, size: generator.standard_t(3, size),
    "uniform": np.random.Generator.random,
    "cauchy": np.random.Generator.standard_cauchy,
    "two_modes": two_modes,
    "with_outliers": with_outliers,
    "half_zero": half_zero,
}


def sample(source, size):
    return np.sort(SOURCES[source](np.random.default_rng(5), size).astype(np.float32))


@pytest.mark.parametrize("levels", [2, 16, 256])
@pytest.mark.parametrize("source", SOURCES)
def test_many_values_come_within_a_millionth_of_the_optimum(source, levels):
    values = sample(source, 160_000)
    assert np.unique(values).size > EXACT_POINTS
    found = error_of(values.astype(np.float64), codebook_of_sorted(values, levels))
    optimum = least(values, levels)
    assert optimum * (1 - 1e-9) <= found <= optimum * (1 + 1e-6)


@pytest.mark.parametrize("source", ["normal", "student", "with_outliers"])
def test_lloyd_and_max_find_nothing_to_improve(source):
    values = sample(source, 160_000).astype(np.float64)
    codebook = codebook_of_sorted(values, 32)
    edges = np.searchsorted(values, (codebook[:-1] + codebook[1:]) / 2)
    groups = np.split(values, edges)
    assert codebook == pytest.approx([group.mean() for group in groups], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("bits", "mse"), [(1, 0.36338), (2, 0.117482), (3, 0.0345478)])
def test_normal_quantiles(bits, mse):
    """A million equiprobable points of N(0, 1), against Max (1960), table I."""
    size = 1 << 20
    values = norm.ppf((np.arange(size) + 0.5) / size)
    found = error_of(values, codebook_of_sorted(values, 2**bits)) / size
    assert found == pytest.approx(mse, rel=2e-4)


def test_a_16_bit_tensor_is_solved_like_its_values_in_float32():
    weight = torch.from_numpy(sample("student", 50_000)).bfloat16()
    assert optimal_codebook(weight, 16) == pytest.approx(optimal_codebook(weight.float(), 16))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_few_values_are_the_levels(dtype):
    weight = torch.tensor([3.0, -1.0, 3.0, 0.0, -0.0, 0.5], dtype=dtype)
    assert np.array_equal(optimal_codebook(weight, 4), [-1.0, 0.0, 0.5, 3.0])
    assert np.array_equal(optimal_codebook(weight, 256), [-1.0, 0.0, 0.5, 3.0])
    assert np.array_equal(optimal_codebook(weight[:0], 4), [])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=300),
    st.integers(1, 60),
    st.integers(1, 8),
)
def test_no_codebook_beats_the_bound(weights, bins, levels):
    values = np.sort(np.array(weights, np.float32))
    optimum = error_of(values.astype(np.float64), codebook_of_sorted(values, levels))
    assert least_error(histogram(values, bins), levels) <= optimum + 1e-9 * np.sum(values**2)


@pytest.mark.parametrize("source", ["normal", "student", "uniform"])
def test_the_bound_is_close_when_bins_are_many(source):
    values = sample(source, 160_000)
    optimum = least(values, 16)
    assert 0.99 * optimum < least_error(histogram(values, 1 << 16), 16) <= optimum


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-10, 10, width=16), min_size=1, max_size=300), st.integers(1, 40))
def test_a_histogram_holds_every_weight_once(weights, bins):
    values = np.sort(np.array(weights))
    found = histogram(values, bins)
    assert found.counts.sum() == values.size
    assert np.all(found.counts > 0)
    groups = np.split(values, np.cumsum(found.counts)[:-1])
    assert all(low[-1] < high[0] for low, high in pairwise(groups))
    assert found.means == pytest.approx([group.mean() for group in groups], abs=1e-12)
    assert found.widths == pytest.approx([np.ptp(group) for group in groups])
    within = sum(np.sum((group - group.mean()) ** 2) for group in groups)
    assert found.within == pytest.approx(within, abs=1e-9)


@pytest.mark.parametrize("source", SOURCES)
def test_a_histogram_has_about_the_bins_asked_for(source):
    bins = histogram(sample(source, 160_000), 4096).counts.size
    assert 0.7 * 4096 <= bins <= 1.3 * 4096
