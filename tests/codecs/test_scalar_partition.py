import kmeans1d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from qatlas.codecs.scalar.partition import group_means, optimal_partition

NORMAL_MSE = {1: 0.36338, 2: 0.117482, 3: 0.0345478, 4: 0.0095010, 8: 4.11851e-5}
"""Lloyd-Max on N(0, 1), by bits: Max (1960), table I; 8 bits by converged quadrature."""


def squared_error(values, masses, edges) -> float:
    nearest = np.repeat(group_means(values, masses, edges), np.diff(edges))
    return float(np.sum(masses * (values - nearest) ** 2))


def least_squared_error(values, masses, groups) -> float:
    """Bellman's recursion over every start of the last group, in O(groups * n^2)."""
    size = values.size
    error = np.full((size + 1, size + 1), np.inf)
    for start in range(size):
        for stop in range(start + 1, size + 1):
            inside, weights = values[start:stop], masses[start:stop]
            mean = np.average(inside, weights=weights)
            error[start, stop] = np.sum(weights * (inside - mean) ** 2)
    least = error[0]
    for _ in range(groups - 1):
        least = np.minimum(least, np.min(least[:, None] + error, axis=0))
    return float(least[size])


def on_grid() -> st.SearchStrategy[list[float]]:
    """Equal spacings make ties, where no penalty gives some numbers of groups."""
    return st.lists(st.integers(-12, 12).map(float), min_size=1, max_size=24, unique=True)


def anywhere() -> st.SearchStrategy[list[float]]:
    return st.lists(
        st.floats(-1e6, 1e6, width=32, allow_subnormal=False), min_size=1, max_size=24, unique=True
    )


@settings(deadline=None, max_examples=300)
@given(on_grid() | anywhere(), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_error_is_the_least_possible(points, groups, seed):
    values = np.sort(np.array(points))
    masses = np.random.default_rng(seed).integers(1, 5, values.size)
    edges = optimal_partition(values, masses, groups)
    assert edges.size == min(groups, values.size) + 1
    assert edges[0] == 0
    assert edges[-1] == values.size
    assert np.all(np.diff(edges) > 0)
    second_moment = np.sum(masses * (values - np.median(values)) ** 2)
    assert squared_error(values, masses, edges) == pytest.approx(
        least_squared_error(values, masses, groups), rel=1e-9, abs=1e-13 * second_moment
    )


@pytest.mark.parametrize("groups", range(1, 31))
def test_equal_spacing_gives_groups_as_equal_as_can_be(groups):
    values = np.arange(30.0)
    sizes = np.diff(optimal_partition(values, np.ones(30), groups))
    assert sizes.size == groups
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("groups", [2, 3, 16, 100])
@pytest.mark.parametrize("freedom", [1, 3, 30])
def test_agrees_with_kmeans1d(groups, freedom):
    values = np.sort(np.random.default_rng(freedom).standard_t(freedom, 3000))
    masses = np.ones(values.size)
    edges = optimal_partition(values, masses, groups)
    found = kmeans1d.cluster(values, groups)
    theirs = np.sum((values - np.array(found.centroids)[found.clusters]) ** 2)
    assert squared_error(values, masses, edges) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("bits", NORMAL_MSE)
def test_normal_density(bits):
    values, step = np.linspace(-7, 7, 60001, retstep=True)
    masses = norm.pdf(values) * step
    edges = optimal_partition(values, masses, 2**bits)
    mse = squared_error(values, masses, edges) + step**2 / 12
    assert mse == pytest.approx(NORMAL_MSE[bits], rel=1e-4)


def test_normal_two_bits_levels():
    """Max (1960), table I, four levels."""
    values = np.linspace(-7, 7, 20001)
    masses = norm.pdf(values)
    levels = group_means(values, masses, optimal_partition(values, masses, 4))
    assert levels == pytest.approx([-1.510, -0.4528, 0.4528, 1.510], abs=1e-3)


@pytest.mark.parametrize("outlier", [-1e6, 1e6])
def test_an_outlier_takes_one_level_and_spares_the_others(outlier):
    bulk = np.sort(np.random.default_rng(0).standard_normal(20000))
    values = np.sort(np.append(bulk, outlier))
    with_outlier = optimal_partition(values, np.ones(values.size), 17)
    without = optimal_partition(bulk, np.ones(bulk.size), 16)
    error = squared_error(values, np.ones(values.size), with_outlier)
    assert error == pytest.approx(squared_error(bulk, np.ones(bulk.size), without), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e20, 1e300])
def test_scale_does_not_matter(scale):
    values = np.sort(np.random.default_rng(1).standard_normal(500))
    masses = np.ones(values.size)
    # A power of two changes no digit.
    power = 2.0 ** np.round(np.log2(scale))
    expected = optimal_partition(values, masses, 9)
    assert np.array_equal(optimal_partition(values * power, masses, 9), expected)


def test_a_distant_mean_does_not_matter():
    values = np.sort(np.random.default_rng(2).integers(0, 2**20, 500)).astype(np.float64)
    masses = np.ones(values.size)
    expected = optimal_partition(values, masses, 9)
    assert np.array_equal(optimal_partition(values + 2.0**32, masses, 9), expected)


def test_what_cannot_be_split_is_refused():
    empty: NDArray[np.float64] = np.empty(0)
    with pytest.raises(ValueError, match="0 points"):
        optimal_partition(empty, empty, 2)
    with pytest.raises(ValueError, match="0 groups"):
        optimal_partition(np.ones(1), np.ones(1), 0)
